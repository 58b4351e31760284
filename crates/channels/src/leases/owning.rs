//! What a node does as the owner of a key: it grants what is left, and asks for what nobody uses.

use std::sync::Arc;

use crate::leases::keys::{LeaseOutput, Leases};
use crate::leases::lease::SPARE;
use crate::leases::message::{GrantNumber, LeaseMessage, NodeName};
use crate::leases::ownership::Ownership;

impl Leases {
    pub(crate) fn asked(&mut self, from: NodeName, key: Arc<str>, limit: u32, want: u32) {
        if self.owner(&key) != self.me {
            // It will see the members as we do, and ask whom it should.
            return;
        }
        let owned = self.owned.entry(key.clone()).or_default();
        owned.limit = limit;
        owned.has_recalled = false;
        owned.asking.retain(|(asking, _)| *asking != from);
        owned.asking.push_back((from, want));
        self.grant(&key);
    }

    pub(crate) fn grant_all(&mut self) {
        let keys: Vec<Arc<str>> = self.owned.keys().cloned().collect();
        keys.iter().for_each(|key| self.grant(key));
    }

    /// Grants what is left to those who have asked; if nothing is, asks for what nobody uses; if
    /// nobody has any, denies.
    pub(crate) fn grant(&mut self, key: &Arc<str>) {
        while self.is_agreed() && self.owner(key) == self.me {
            let out = self.out(key);
            let nodes = self.view.len() as u32;
            let Some(owned) = self.owned.get_mut(key) else { return };
            let Some(&(node, want)) = owned.asking.front() else { break };
            let left = owned.limit.saturating_sub(out);
            if left > 0 {
                // Enough that the next ones need not ask, and less the less there is.
                let slots = want.max((left / (2 * nodes)).min(SPARE)).min(left);
                owned.asking.pop_front();
                self.grants += 1;
                let grant = GrantNumber { owner: self.me, number: self.grants };
                if node == self.me {
                    self.granted(node, key, slots, grant);
                } else {
                    owned.grant(node, grant.number, slots);
                    let grant = LeaseMessage::Grant { key: key.clone(), slots, grant };
                    self.outputs.push_back(LeaseOutput::Send(node, grant));
                }
            } else if !owned.has_recalled {
                owned.has_recalled = true;
                self.recall(key, node);
            } else if owned.recalled.is_empty() && owned.unconfirmed() == 0 {
                owned.asking.pop_front();
                if node == self.me {
                    self.denied(node, key);
                } else {
                    let deny = LeaseMessage::Deny { key: key.clone() };
                    self.outputs.push_back(LeaseOutput::Send(node, deny));
                }
            } else {
                break;
            }
        }
        if self.owned.get(key).is_some_and(Ownership::is_idle) {
            self.owned.remove(key);
        }
    }

    /// Asks everybody but the one who asks to give back what is not in use.
    pub(crate) fn recall(&mut self, key: &Arc<str>, except: NodeName) {
        let Some(owned) = self.owned.get_mut(key) else { return };
        for (node, peer) in &self.peers {
            if *node != except && peer.held.contains_key(key) {
                owned.recalled.insert(*node);
                self.outputs
                    .push_back(LeaseOutput::Send(*node, LeaseMessage::Recall { key: key.clone() }));
            }
        }
        if except != self.me && self.leases.get_mut(key).is_some_and(|lease| lease.shrink(0)) {
            self.tell_held(key);
        }
    }

    /// Slots that are out, over all nodes.
    pub(crate) fn out(&self, key: &str) -> u32 {
        let own = self.leases.get(key).map_or(0, |lease| lease.held);
        let others: u32 = self.peers.values().filter_map(|peer| peer.held.get(key)).sum();
        own + others + self.owned.get(key).map_or(0, Ownership::unconfirmed)
    }
}

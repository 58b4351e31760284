//! What a node does as one that uses a key: it asks the owner, and keeps what it is granted.

use std::sync::Arc;

use crate::leases::keys::{LeaseOutput, Leases};
use crate::leases::lease::{Lease, SPARE};
use crate::leases::message::{GrantNumber, LeaseMessage, NodeName};

impl Leases {
    pub(crate) fn ask(&mut self, key: &Arc<str>) {
        let owner = self.owner(key);
        let Some(lease) = self.leases.get_mut(key) else { return };
        if lease.asked.is_some() || lease.waiting.is_empty() {
            return;
        }
        lease.asked = Some(owner);
        let (limit, want) = (lease.limit, lease.waiting.len() as u32);
        if owner == self.me {
            self.asked(owner, key.clone(), limit, want);
        } else {
            let ask = LeaseMessage::Ask { key: key.clone(), limit, want };
            self.outputs.push_back(LeaseOutput::Send(owner, ask));
        }
    }

    pub(crate) fn granted(
        &mut self,
        from: NodeName,
        key: &Arc<str>,
        slots: u32,
        grant: GrantNumber,
    ) {
        let is_owner = self.owner(key) == from;
        let lease = self.leases.entry(key.clone()).or_default();
        lease.grant = grant;
        if is_owner {
            lease.held = lease.held.saturating_add(slots);
            lease.asked = None;
            self.serve(key);
            if let Some(lease) = self.leases.get_mut(key) {
                lease.shrink(SPARE);
            }
        }
        // Taken or not, it is confirmed.
        self.tell_held(key);
        self.ask(key);
        self.tidy(key);
    }

    pub(crate) fn denied(&mut self, from: NodeName, key: &Arc<str>) {
        if self.owner(key) != from {
            return;
        }
        let Some(lease) = self.leases.get_mut(key) else { return };
        lease.asked = None;
        let refused = std::mem::take(&mut lease.waiting);
        self.outputs.extend(refused.into_iter().map(|request| LeaseOutput::Answer(request, false)));
        self.tidy(key);
    }

    /// Gives slots that are held to those who wait.
    pub(crate) fn serve(&mut self, key: &Arc<str>) {
        let Some(lease) = self.leases.get_mut(key) else { return };
        while !lease.waiting.is_empty() && lease.take_held() {
            let served = lease.waiting.pop_front();
            self.outputs.extend(served.map(|request| LeaseOutput::Answer(request, true)));
        }
    }

    pub(crate) fn shrink(&mut self, key: &Arc<str>, keep: u32) {
        if self.leases.get_mut(key).is_some_and(|lease| lease.shrink(keep)) {
            self.tell_held(key);
            self.tidy(key);
            self.grant(key);
        }
    }

    pub(crate) fn tell_held(&mut self, key: &Arc<str>) {
        if let Some(lease) = self.leases.get(key)
            && !self.peers.is_empty()
        {
            self.outputs.push_back(LeaseOutput::Tell(held(key, lease)));
        }
    }

    pub(crate) fn tidy(&mut self, key: &Arc<str>) {
        if self.leases.get(key).is_some_and(Lease::is_empty) {
            self.leases.remove(key);
        }
    }
}

pub(crate) fn held(key: &Arc<str>, lease: &Lease) -> LeaseMessage {
    LeaseMessage::Held { key: key.clone(), held: lease.held, grant: lease.grant }
}

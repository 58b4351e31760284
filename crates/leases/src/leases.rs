//! All keys of one node: what it holds, and what it grants as an owner.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::lease::{Lease, SPARE};
use crate::message::{GrantNumber, Message, NodeName};
use crate::ownership::Ownership;

/// Somebody who waits for a slot; numbered by the caller.
pub type Ticket = u64;

/// What became of the wish for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is taken.
    Yes,
    /// The owner is asked; [`Output::Answer`] follows.
    Wait,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tell everybody.
    Tell(Message),
    /// Tell one node.
    Send(NodeName, Message),
    /// Somebody who waited has a slot now, or there is none.
    Answer(Ticket, bool),
}

/// What is known of another node.
#[derive(Debug, Default)]
struct Peer {
    ready: bool,
    view: BTreeSet<NodeName>,
    /// The last of our views that it has seen.
    seen: u64,
    held: HashMap<Arc<str>, u32>,
}

/// Owned by the node.
pub struct Leases {
    me: NodeName,
    peers: BTreeMap<NodeName, Peer>,
    /// The members as seen from here: ourselves, and the peers that are ready.
    view: BTreeSet<NodeName>,
    /// How often that has changed.
    view_number: u64,
    leases: HashMap<Arc<str>, Lease>,
    owned: HashMap<Arc<str>, Ownership>,
    /// How often this node has granted.
    grants: u64,
    outputs: VecDeque<Output>,
}

impl Leases {
    /// A node without peers.
    pub fn new(me: NodeName) -> Self {
        Leases {
            me,
            peers: BTreeMap::new(),
            view: BTreeSet::from([me]),
            view_number: 1,
            leases: HashMap::new(),
            owned: HashMap::new(),
            grants: 0,
            outputs: VecDeque::new(),
        }
    }

    /// A slot is wanted, where there may be `limit` over all nodes.
    pub fn take(&mut self, key: &Arc<str>, limit: u32, ticket: Ticket) -> Taken {
        let lease = self.leases.entry(key.clone()).or_default();
        lease.limit = limit;
        // Nobody overtakes those who wait.
        if lease.waiting.is_empty() && lease.take_held() {
            return Taken::Yes;
        }
        lease.waiting.push_back(ticket);
        self.ask(key);
        Taken::Wait
    }

    /// A slot is not needed any more.
    pub fn give_back(&mut self, key: &Arc<str>) {
        let Some(lease) = self.leases.get_mut(key) else { return };
        lease.used = lease.used.saturating_sub(1);
        self.serve(key);
        // A node on its own has nobody to keep slots from.
        let keep = if self.peers.is_empty() { 0 } else { SPARE };
        self.shrink(key, keep);
    }

    /// Somebody does not wait any longer. True if it was still waiting.
    pub fn cancel(&mut self, key: &Arc<str>, ticket: Ticket) -> bool {
        let Some(lease) = self.leases.get_mut(key) else { return false };
        let before = lease.waiting.len();
        lease.waiting.retain(|waiting| *waiting != ticket);
        let waited = lease.waiting.len() < before;
        self.tidy(key);
        waited
    }

    /// Slots in use here.
    pub fn used(&self, key: &str) -> u32 {
        self.leases.get(key).map_or(0, |lease| lease.used)
    }

    /// Keys that are known here.
    pub fn len(&self) -> usize {
        self.leases.len() + self.owned.len()
    }

    /// Whether no key is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether somebody waits here.
    pub fn waiting(&self) -> usize {
        self.leases.values().map(|lease| lease.waiting.len()).sum()
    }

    /// What a node that has just come has to be told.
    pub fn everything(&self) -> Vec<Message> {
        let held = self.leases.iter().map(|(key, lease)| held(key, lease));
        held.chain([self.own_view()]).collect()
    }

    /// Another node is there.
    pub fn up(&mut self, node: NodeName) {
        self.peers.insert(node, Peer::default());
    }

    /// Another node is ready, or is not any more.
    pub fn set_ready(&mut self, node: NodeName, ready: bool) {
        if let Some(peer) = self.peers.get_mut(&node) {
            peer.ready = ready;
            self.look_around();
        }
    }

    /// Another node is gone, with everything that it held.
    pub fn down(&mut self, node: NodeName) {
        self.peers.remove(&node);
        self.owned.values_mut().for_each(|owned| owned.forget(node));
        self.look_around();
        self.grant_all();
    }

    /// What was told a node may be lost, and everything is told it anew.
    pub fn resync(&mut self, node: NodeName) {
        self.owned.values_mut().for_each(|owned| owned.forget(node));
        // Until it has seen this, it may confirm what we do not know any more.
        self.renew_view();
        self.ask_anew(|owner| owner == node);
    }

    /// What a node told may be lost; it tells everything anew.
    pub fn restarted(&mut self, node: NodeName) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        peer.held.clear();
        self.owned.values_mut().for_each(|owned| owned.recall_again(node));
        self.renew_view();
        self.ask_anew(|owner| owner == node);
    }

    /// Another node has told something.
    pub fn hear(&mut self, from: NodeName, message: Message) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        match message {
            Message::Held { key, held, grant } => {
                if held == 0 {
                    peer.held.remove(&key);
                } else {
                    peer.held.insert(key.clone(), held);
                }
                if grant.owner == self.me
                    && let Some(owned) = self.owned.get_mut(&key)
                {
                    owned.confirm(from, grant.number);
                }
                self.grant(&key);
            }
            Message::View { number, members } => {
                peer.view = members;
                let seen = Message::Seen { number, members: self.view.clone() };
                self.outputs.push_back(Output::Send(from, seen));
                // If it did not take itself for the owner, it has not listened to what we asked.
                self.ask_anew(|owner| owner == from);
                self.grant_all();
            }
            Message::Seen { number, members } => {
                peer.view = members;
                peer.seen = number;
                self.grant_all();
            }
            Message::Ask { key, limit, want } => self.asked(from, key, limit, want),
            Message::Grant { key, slots, grant } => self.granted(from, &key, slots, grant),
            Message::Deny { key } => self.denied(from, &key),
            Message::Recall { key } => {
                self.shrink(&key, 0);
                self.outputs.push_back(Output::Send(from, Message::Returned { key }));
            }
            Message::Returned { key } => {
                if let Some(owned) = self.owned.get_mut(&key) {
                    owned.recalled.remove(&from);
                }
                self.grant(&key);
            }
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Who deals out a key, as seen from here: the one whose hash with it is the highest.
    pub fn owner(&self, key: &str) -> NodeName {
        let score = |node: &NodeName| {
            let mut hasher = FixedState::default().build_hasher();
            hasher.write(key.as_bytes());
            hasher.write_u64(*node);
            (hasher.finish(), *node)
        };
        self.view.iter().copied().max_by_key(score).unwrap_or(self.me)
    }

    /// Whether all members see the same members, and know that we do.
    fn is_agreed(&self) -> bool {
        let agrees = |(node, peer): (&NodeName, &Peer)| {
            let knows = peer.seen == self.view_number && peer.view == self.view;
            knows || !self.view.contains(node)
        };
        self.peers.iter().all(agrees)
    }

    fn own_view(&self) -> Message {
        Message::View { number: self.view_number, members: self.view.clone() }
    }

    /// The members may have changed: then what was asked is asked anew, of whoever is the owner now.
    fn look_around(&mut self) {
        let ready = self.peers.iter().filter(|(_, peer)| peer.ready).map(|(node, _)| *node);
        let view: BTreeSet<NodeName> = ready.chain([self.me]).collect();
        if view == self.view {
            return;
        }
        self.view = view;
        self.owned.values_mut().for_each(Ownership::restart);
        self.renew_view();
        self.ask_anew(|_| true);
    }

    /// Nothing is granted before everybody has seen it.
    fn renew_view(&mut self) {
        self.view_number += 1;
        self.outputs.push_back(Output::Tell(self.own_view()));
    }

    /// Asks again for what was asked of such an owner.
    fn ask_anew(&mut self, of: impl Fn(NodeName) -> bool) {
        let asked = self.leases.iter_mut().filter(|(_, lease)| lease.asked.is_some_and(&of));
        let keys: Vec<Arc<str>> = asked
            .map(|(key, lease)| {
                lease.asked = None;
                key.clone()
            })
            .collect();
        keys.iter().for_each(|key| self.ask(key));
    }

    // --- as a node that uses a key -------------------------------------------------------------

    fn ask(&mut self, key: &Arc<str>) {
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
            let ask = Message::Ask { key: key.clone(), limit, want };
            self.outputs.push_back(Output::Send(owner, ask));
        }
    }

    fn granted(&mut self, from: NodeName, key: &Arc<str>, slots: u32, grant: GrantNumber) {
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

    fn denied(&mut self, from: NodeName, key: &Arc<str>) {
        if self.owner(key) != from {
            return;
        }
        let Some(lease) = self.leases.get_mut(key) else { return };
        lease.asked = None;
        let refused = std::mem::take(&mut lease.waiting);
        self.outputs.extend(refused.into_iter().map(|ticket| Output::Answer(ticket, false)));
        self.tidy(key);
    }

    /// Gives slots that are held to those who wait.
    fn serve(&mut self, key: &Arc<str>) {
        let Some(lease) = self.leases.get_mut(key) else { return };
        while !lease.waiting.is_empty() && lease.take_held() {
            let served = lease.waiting.pop_front();
            self.outputs.extend(served.map(|ticket| Output::Answer(ticket, true)));
        }
    }

    fn shrink(&mut self, key: &Arc<str>, keep: u32) {
        if self.leases.get_mut(key).is_some_and(|lease| lease.shrink(keep)) {
            self.tell_held(key);
            self.tidy(key);
            self.grant(key);
        }
    }

    fn tell_held(&mut self, key: &Arc<str>) {
        if let Some(lease) = self.leases.get(key)
            && !self.peers.is_empty()
        {
            self.outputs.push_back(Output::Tell(held(key, lease)));
        }
    }

    fn tidy(&mut self, key: &Arc<str>) {
        if self.leases.get(key).is_some_and(Lease::is_empty) {
            self.leases.remove(key);
        }
    }

    // --- as the owner of a key -----------------------------------------------------------------

    fn asked(&mut self, from: NodeName, key: Arc<str>, limit: u32, want: u32) {
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

    fn grant_all(&mut self) {
        let keys: Vec<Arc<str>> = self.owned.keys().cloned().collect();
        keys.iter().for_each(|key| self.grant(key));
    }

    /// Grants what is left to those who have asked; if nothing is, asks for what nobody uses; if
    /// nobody has any, denies.
    fn grant(&mut self, key: &Arc<str>) {
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
                    let grant = Message::Grant { key: key.clone(), slots, grant };
                    self.outputs.push_back(Output::Send(node, grant));
                }
            } else if !owned.has_recalled {
                owned.has_recalled = true;
                self.recall(key, node);
            } else if owned.recalled.is_empty() && owned.unconfirmed() == 0 {
                owned.asking.pop_front();
                if node == self.me {
                    self.denied(node, key);
                } else {
                    let deny = Message::Deny { key: key.clone() };
                    self.outputs.push_back(Output::Send(node, deny));
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
    fn recall(&mut self, key: &Arc<str>, except: NodeName) {
        let Some(owned) = self.owned.get_mut(key) else { return };
        for (node, peer) in &self.peers {
            if *node != except && peer.held.contains_key(key) {
                owned.recalled.insert(*node);
                self.outputs.push_back(Output::Send(*node, Message::Recall { key: key.clone() }));
            }
        }
        if except != self.me && self.leases.get_mut(key).is_some_and(|lease| lease.shrink(0)) {
            self.tell_held(key);
        }
    }

    /// Slots that are out, over all nodes.
    fn out(&self, key: &str) -> u32 {
        let own = self.leases.get(key).map_or(0, |lease| lease.held);
        let others: u32 = self.peers.values().filter_map(|peer| peer.held.get(key)).sum();
        own + others + self.owned.get(key).map_or(0, Ownership::unconfirmed)
    }
}

fn held(key: &Arc<str>, lease: &Lease) -> Message {
    Message::Held { key: key.clone(), held: lease.held, grant: lease.grant }
}

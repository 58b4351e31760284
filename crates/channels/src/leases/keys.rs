//! All keys of one node, and the members as it sees them. What it does as a user of a key is in
//! `using`, what as the owner in `owning`.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::election::{self, ElectionKey};

use crate::leases::lease::{Lease, SPARE};
use crate::leases::message::{LeaseMessage, NodeName};
use crate::leases::ownership::Ownership;
use crate::leases::using::held;

/// Somebody who waits for a slot; numbered by the caller.
pub type SlotRequestId = u64;

/// What became of the wish for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is taken.
    Yes,
    /// The owner is asked; [`LeaseOutput::Answer`] follows.
    Wait,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseOutput {
    /// Tell everybody.
    Tell(LeaseMessage),
    /// Tell one node.
    Send(NodeName, LeaseMessage),
    /// Somebody who waited has a slot now, or there is none.
    Answer(SlotRequestId, bool),
}

/// What is known of another node.
#[derive(Debug, Default)]
pub(crate) struct PeerView {
    ready: bool,
    view: BTreeSet<NodeName>,
    /// The last of our views that it has seen.
    seen: u64,
    pub(crate) held: HashMap<Arc<str>, u32>,
}

/// Owned by the node.
pub struct Leases {
    pub(crate) me: NodeName,
    pub(crate) peers: BTreeMap<NodeName, PeerView>,
    /// The members as seen from here: ourselves, and the peers that are ready.
    pub(crate) view: BTreeSet<NodeName>,
    /// How often that has changed.
    view_number: u64,
    pub(crate) leases: HashMap<Arc<str>, Lease>,
    pub(crate) owned: HashMap<Arc<str>, Ownership>,
    /// How often this node has granted.
    pub(crate) grants: u64,
    pub(crate) outputs: VecDeque<LeaseOutput>,
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
    pub fn take(&mut self, key: &Arc<str>, limit: u32, request: SlotRequestId) -> Taken {
        let lease = self.leases.entry(key.clone()).or_default();
        lease.limit = limit;
        // Nobody overtakes those who wait.
        if lease.waiting.is_empty() && lease.take_held() {
            return Taken::Yes;
        }
        lease.waiting.push_back(request);
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
    pub fn cancel(&mut self, key: &Arc<str>, request: SlotRequestId) -> bool {
        let Some(lease) = self.leases.get_mut(key) else { return false };
        let before = lease.waiting.len();
        lease.waiting.retain(|waiting| *waiting != request);
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
    pub fn everything(&self) -> Vec<LeaseMessage> {
        let held = self.leases.iter().map(|(key, lease)| held(key, lease));
        held.chain([self.own_view()]).collect()
    }

    /// Another node is there.
    pub fn up(&mut self, node: NodeName) {
        self.peers.insert(node, PeerView::default());
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
    pub fn hear(&mut self, from: NodeName, message: LeaseMessage) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        match message {
            LeaseMessage::Held { key, held, grant } => {
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
            LeaseMessage::View { number, members } => {
                peer.view = members;
                let seen = LeaseMessage::Seen { number, members: self.view.clone() };
                self.outputs.push_back(LeaseOutput::Send(from, seen));
                // If it did not take itself for the owner, it has not listened to what we asked.
                self.ask_anew(|owner| owner == from);
                self.grant_all();
            }
            LeaseMessage::Seen { number, members } => {
                peer.view = members;
                peer.seen = number;
                self.grant_all();
            }
            LeaseMessage::Ask { key, limit, want } => self.asked(from, key, limit, want),
            LeaseMessage::Grant { key, slots, grant } => self.granted(from, &key, slots, grant),
            LeaseMessage::Deny { key } => self.denied(from, &key),
            LeaseMessage::Recall { key } => {
                self.shrink(&key, 0);
                self.outputs.push_back(LeaseOutput::Send(from, LeaseMessage::Returned { key }));
            }
            LeaseMessage::Returned { key } => {
                if let Some(owned) = self.owned.get_mut(&key) {
                    owned.recalled.remove(&from);
                }
                self.grant(&key);
            }
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<LeaseOutput> {
        self.outputs.pop_front()
    }

    /// Who deals out a key, as seen from here.
    pub fn owner(&self, key: &str) -> NodeName {
        election::winner(ElectionKey::Quota { app: key }, self.view.iter().copied())
            .unwrap_or(self.me)
    }

    /// Whether everybody who is there sees the same members, and knows that we do. Each counts itself
    /// among them: who has just become one, and of whom we have not heard that, must have heard of us.
    pub(crate) fn is_agreed(&self) -> bool {
        let agrees = |(node, peer): (&NodeName, &PeerView)| {
            let members = self.view.len() + usize::from(!self.view.contains(node));
            let sees = peer.view.len() == members && self.view.is_subset(&peer.view);
            peer.seen == self.view_number && sees && peer.view.contains(node)
        };
        self.peers.iter().all(agrees)
    }

    fn own_view(&self) -> LeaseMessage {
        LeaseMessage::View { number: self.view_number, members: self.view.clone() }
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
        self.outputs.push_back(LeaseOutput::Tell(self.own_view()));
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
}

//! Slots of apps, counted over all nodes: the leases, and those who wait for one.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Channels;
use crate::leases::{LeaseMessage, LeaseOutput, Leases, NodeName, SlotRequestId, Taken};
use crate::registry::NodeId;
use crate::replication::PeerMessage;
use crate::runtime::{Answer, Runtime};

/// What becomes of the request for a slot.
#[derive(Debug, PartialEq, Eq)]
pub enum Slot {
    /// It is taken.
    Granted,
    /// There is none left.
    Denied,
    /// The node that deals the slots out has been asked: the answer comes by
    /// [`Runtime::reply`], unless the request is [cancelled](Channels::cancel_slot).
    Asked(SlotRequestId),
}

struct PendingSlots<Reply> {
    leases: Leases,
    requests: SlotRequestId,
    waiting: HashMap<SlotRequestId, Reply>,
    /// The peers' numbers in the registry.
    numbers: HashMap<NodeName, NodeId>,
}

/// Owned by the node. Its lock is taken under no other one; what has to be told is appended to the
/// links under it, so that it is told in the order in which it was decided.
pub(super) struct Quotas<Reply>(Mutex<PendingSlots<Reply>>);

impl<Reply> Quotas<Reply> {
    pub(super) fn new(me: NodeName) -> Self {
        Quotas(Mutex::new(PendingSlots {
            leases: Leases::new(me),
            requests: 0,
            waiting: HashMap::new(),
            numbers: HashMap::new(),
        }))
    }

    /// Which peer deals a key out; none for this node, or if the peer has just gone.
    pub(super) fn owner(&self, key: &str) -> Option<NodeId> {
        let state = self.0.lock();
        state.numbers.get(&state.leases.owner(key)).copied()
    }

    /// Requests that wait, and keys that are known.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.waiting.len(), state.leases.len())
    }

    /// The number of the peer with this name; none if it has just gone.
    pub(super) fn number(&self, name: NodeName) -> Option<NodeId> {
        self.0.lock().numbers.get(&name).copied()
    }
}

impl<R: Runtime> Channels<R> {
    /// Takes one of an app's slots, of which there may be `limit` over all nodes.
    pub fn take_slot(&self, app: &Arc<str>, limit: u32, reply: R::Reply) -> Slot {
        let mut own = None;
        let request = self.with_quotas(Some(&mut own), |state| {
            state.requests += 1;
            let request = state.requests;
            match state.leases.take(app, limit, request) {
                Taken::Yes => None,
                Taken::Wait => {
                    state.waiting.insert(request, reply);
                    Some(request)
                }
            }
        });
        match (request, own) {
            (None, _) => Slot::Granted,
            (Some(request), Some((answered, granted))) if answered == request => match granted {
                true => Slot::Granted,
                false => Slot::Denied,
            },
            (Some(request), _) => Slot::Asked(request),
        }
    }

    /// A slot is not needed any more.
    pub fn give_slot_back(&self, app: &Arc<str>) {
        self.with_quotas(None, |state| state.leases.give_back(app));
    }

    /// Nobody waits for this slot any longer. False if the request was answered before.
    pub fn cancel_slot(&self, app: &Arc<str>, request: SlotRequestId) -> bool {
        self.with_quotas(None, |state| {
            let waited = state.waiting.remove(&request).is_some();
            if waited {
                state.leases.cancel(app, request);
            }
            waited
        })
    }

    /// Slots of an app in use here.
    pub fn slots_used(&self, app: &str) -> u32 {
        self.quotas.0.lock().leases.used(app)
    }

    /// A peer is there, or its stream begins anew: it is told everything.
    pub(super) fn introduce_quotas(&self, node: NodeId, name: NodeName) {
        self.with_quotas(None, |state| {
            if state.numbers.insert(name, node).is_none() {
                state.leases.up(name);
            }
            for message in state.leases.everything() {
                self.send_lease(Some(node), message);
            }
            state.leases.resync(name);
        });
    }

    /// A peer tells everything anew.
    pub(super) fn quotas_restarted(&self, name: NodeName) {
        self.with_quotas(None, |state| state.leases.restarted(name));
    }

    pub(super) fn quotas_ready(&self, name: NodeName, ready: bool) {
        self.with_quotas(None, |state| state.leases.set_ready(name, ready));
    }

    pub(super) fn hear_lease(&self, name: NodeName, message: LeaseMessage) {
        self.with_quotas(None, |state| state.leases.hear(name, message));
    }

    /// A peer is gone.
    pub(super) fn quotas_down(&self, name: NodeName) {
        self.with_quotas(None, |state| {
            state.numbers.remove(&name);
            state.leases.down(name);
        });
    }

    /// Does something with the leases, and what follows from it. An answer to the request that was
    /// just made is put into `own` instead of being sent.
    fn with_quotas<T>(
        &self,
        own: Option<&mut Option<(SlotRequestId, bool)>>,
        act: impl FnOnce(&mut PendingSlots<R::Reply>) -> T,
    ) -> T {
        let mut answers = Vec::new();
        let mut wake = false;
        let result = {
            let mut state = self.quotas.0.lock();
            let newest = state.requests + u64::from(own.is_some());
            let result = act(&mut state);
            let mut own = own;
            while let Some(output) = state.leases.poll_output() {
                match output {
                    LeaseOutput::Tell(message) => wake |= self.send_lease(None, message),
                    LeaseOutput::Send(name, message) => {
                        let node = state.numbers.get(&name).copied();
                        wake |= node.is_some_and(|node| self.send_lease(Some(node), message));
                    }
                    LeaseOutput::Answer(request, granted) => {
                        let reply = state.waiting.remove(&request);
                        match &mut own {
                            Some(own) if request == newest => **own = Some((request, granted)),
                            _ => answers.extend(reply.map(|reply| (reply, granted))),
                        }
                    }
                }
            }
            result
        };
        for (reply, granted) in answers {
            self.runtime.reply(reply, Answer::Slot(granted));
        }
        self.wake_links(wake);
        result
    }

    fn send_lease(&self, node: Option<NodeId>, message: LeaseMessage) -> bool {
        let entry = PeerMessage::Lease(message).encode();
        match node {
            Some(node) => self.streams.send_to(node, entry),
            None => self.streams.send(&entry),
        }
    }
}

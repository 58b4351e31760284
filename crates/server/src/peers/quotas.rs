//! Connections of an app, counted over all nodes: the leases, and those who wait for one.

use std::collections::HashMap;
use std::sync::Arc;

use channels::leases::{Leases, Message as Lease, NodeName, Output, Taken, Ticket};
use channels::registry::NodeId;
use channels::replication::Message;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Peers;

/// What becomes of the wish for a slot.
pub(crate) enum Wish {
    Granted,
    Denied,
    /// The node that deals the slots out has been asked.
    Asked(Pending),
}

/// A wish that waits for its answer. Dropped before that, it costs nobody a slot.
pub(crate) struct Pending {
    peers: Arc<Peers>,
    key: Arc<str>,
    ticket: Ticket,
    answer: oneshot::Receiver<bool>,
}

struct State {
    leases: Leases,
    tickets: Ticket,
    waiting: HashMap<Ticket, oneshot::Sender<bool>>,
    /// The peers' numbers in the registry.
    numbers: HashMap<NodeName, NodeId>,
}

/// Owned by the node. Its lock is taken under no other one; what has to be told is appended to the
/// links under it, so that it is told in the order in which it was decided.
pub(crate) struct Quotas(Mutex<State>);

impl Quotas {
    pub(super) fn new(me: NodeName) -> Self {
        Quotas(Mutex::new(State {
            leases: Leases::new(me),
            tickets: 0,
            waiting: HashMap::new(),
            numbers: HashMap::new(),
        }))
    }

    /// Which peer deals a key out; none for this node, or if the peer has just gone.
    pub(super) fn owner(&self, key: &str) -> Option<NodeId> {
        let state = self.0.lock();
        state.numbers.get(&state.leases.owner(key)).copied()
    }

    /// Wishes that wait, and keys that are known.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.waiting.len(), state.leases.len())
    }
}

impl Peers {
    /// A slot of `key` is wanted, of which there may be `limit` over all nodes.
    pub(crate) fn wish(self: &Arc<Self>, key: &Arc<str>, limit: u32) -> Wish {
        let (to, answer) = oneshot::channel();
        let ticket = self.with(|state| {
            state.tickets += 1;
            let ticket = state.tickets;
            state.waiting.insert(ticket, to);
            if state.leases.take(key, limit, ticket) == Taken::Yes
                && let Some(to) = state.waiting.remove(&ticket)
            {
                // We hold the other end.
                let _ = to.send(true);
            }
            ticket
        });
        let mut pending = Pending { peers: self.clone(), key: key.clone(), ticket, answer };
        match pending.answer.try_recv() {
            Ok(true) => Wish::Granted,
            Ok(false) => Wish::Denied,
            Err(_) => Wish::Asked(pending),
        }
    }

    /// A slot is not needed any more.
    pub(crate) fn give_back(&self, key: &Arc<str>) {
        self.with(|state| state.leases.give_back(key));
    }

    /// Tells the peer of this name something; lost if it has just gone.
    pub(crate) fn tell_by_name(&self, name: NodeName, message: &Message<'_>) {
        let node = self.quotas.0.lock().numbers.get(&name).copied();
        if node.is_some_and(|node| self.outlets.tell_one(node, message.encode())) {
            self.wake();
        }
    }

    /// A peer is there, or its stream begins anew: it is told everything.
    pub(super) fn introduce(&self, node: NodeId, name: NodeName) {
        self.with(|state| {
            if state.numbers.insert(name, node).is_none() {
                state.leases.up(name);
            }
            for message in state.leases.everything() {
                self.tell(Some(node), message);
            }
            state.leases.resync(name);
        });
    }

    /// A peer tells everything anew.
    pub(super) fn quotas_restarted(&self, name: NodeName) {
        self.with(|state| state.leases.restarted(name));
    }

    pub(super) fn quotas_ready(&self, name: NodeName, ready: bool) {
        self.with(|state| state.leases.set_ready(name, ready));
    }

    pub(super) fn quotas_hear(&self, name: NodeName, message: Lease) {
        self.with(|state| state.leases.hear(name, message));
    }

    /// A peer is gone.
    pub(super) fn quotas_down(&self, name: NodeName) {
        self.with(|state| {
            state.numbers.remove(&name);
            state.leases.down(name);
        });
    }

    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let mut answers = Vec::new();
        let mut wake = false;
        let result = {
            let mut state = self.quotas.0.lock();
            let result = act(&mut state);
            while let Some(output) = state.leases.poll_output() {
                match output {
                    Output::Tell(message) => wake |= self.tell(None, message),
                    Output::Send(name, message) => {
                        let node = state.numbers.get(&name).copied();
                        wake |= node.is_some_and(|node| self.tell(Some(node), message));
                    }
                    Output::Answer(ticket, granted) => {
                        let to = state.waiting.remove(&ticket);
                        answers.extend(to.map(|to| (to, granted)));
                    }
                }
            }
            result
        };
        // Whoever has lost patience has taken its wish back.
        for (to, granted) in answers {
            let _ = to.send(granted);
        }
        if wake {
            self.wake();
        }
        result
    }

    fn tell(&self, node: Option<NodeId>, message: Lease) -> bool {
        let entry = Message::Lease(message).encode();
        match node {
            Some(node) => self.outlets.tell_one(node, entry),
            None => self.outlets.tell(&entry),
        }
    }
}

impl Pending {
    /// Whether there is a slot.
    pub(crate) async fn answer(mut self) -> bool {
        (&mut self.answer).await.unwrap_or(false)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let (key, ticket) = (self.key.clone(), self.ticket);
        self.peers.with(|state| {
            if state.waiting.remove(&ticket).is_some() {
                state.leases.cancel(&key, ticket);
            }
        });
        // It was answered just now, and nobody has looked.
        if self.answer.try_recv() == Ok(true) {
            self.peers.give_back(&key);
        }
    }
}

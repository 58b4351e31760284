//! Connections as they come: each needs a slot of its app, of which all nodes together have a few.

use channels::registry::ShardId;
use channels::{Answer, Slot};
use cluster::Now;

use crate::ledger::Ledger;
use crate::load::Names;
use crate::node::Node;
use crate::socket::Socket;
use crate::world::World;
use simulation::RequestNumber;

/// How many connections there may be.
const LIMIT: u32 = 9;
/// How long a connection waits for its slot.
const SLOT_TIMEOUT: Now = Now::from_millis(1000);

/// A connection that waits for a slot.
pub(crate) struct Waiting {
    request: RequestNumber,
    ticket: u64,
    shard: ShardId,
    until: Now,
}

impl Node {
    /// A client connects.
    pub(crate) fn connect(&mut self, now: Now, names: &Names, shard: ShardId, ledger: &mut Ledger) {
        let request = self.next_request();
        match self.channels.take_slot(&self.app, LIMIT, request) {
            Slot::Granted => self.accept(shard, ledger),
            Slot::Denied => ledger.summary.turned_away += 1,
            Slot::Asked(ticket) => {
                self.waiting.push(Waiting { request, ticket, shard, until: now + SLOT_TIMEOUT });
            }
        }
        self.settle(now, names, ledger);
    }

    fn accept(&mut self, shard: ShardId, ledger: &mut Ledger) {
        self.last_socket += 1;
        self.sockets.insert(self.last_socket, Socket::new(self.last_socket, shard));
        ledger.summary.seated += 1;
    }

    /// What was asked of other nodes is answered.
    pub(crate) fn hear_answers(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        for (request, answer) in self.channels.runtime().answers() {
            match answer {
                Answer::Slot(granted) => {
                    let is_it = |one: &Waiting| one.request == request;
                    let at = self.waiting.iter().position(is_it).expect("somebody waits for it");
                    let Waiting { shard, .. } = self.waiting.remove(at);
                    match granted {
                        true => self.accept(shard, ledger),
                        false => ledger.summary.turned_away += 1,
                    }
                }
                Answer::Rate(answer) => self.hear_rate(now, names, request, answer, ledger),
            }
        }
    }

    /// Those who have waited for too long go.
    pub(crate) fn give_up_seats(&mut self, now: Now) {
        let late = self.waiting.extract_if(.., |one| one.until <= now);
        for Waiting { ticket, .. } in late {
            assert!(self.channels.cancel_slot(&self.app, ticket), "it was not answered");
        }
    }

    /// Connections that have a slot.
    pub(crate) fn seats(&self) -> u32 {
        self.sockets.values().filter(|socket| socket.has_seat()).count() as u32
    }
}

impl World {
    /// There are never more connections than there may be, where nobody is held for dead.
    pub(crate) fn check_seats(&mut self) {
        if self.ledger.strict {
            let live = self.places.iter().filter_map(|place| place.node.as_ref());
            let seats: u32 = live.map(Node::seats).sum();
            assert!(seats <= LIMIT, "{seats} of {LIMIT} connections");
            self.ledger.summary.sold_out += u64::from(seats == LIMIT);
        }
    }

    /// In the end every node knows of the others' connections, and nobody waits.
    pub(crate) fn check_seats_end(&self, live: &[&Node]) {
        let connections = |node: &Node| node.sockets.len() as u32;
        let all: u32 = live.iter().map(|node| connections(node)).sum();
        for node in live {
            let sizes = node.channels.sizes();
            assert_eq!((sizes.slot_requests, node.waiting.len()), (0, 0), "at {}", node.me());
            assert_eq!(node.channels.slots_used(&node.app), node.seats(), "at {}", node.me());
            let others = node.channels.peer_connections(&node.app);
            assert_eq!(others, all - connections(node), "as {} knows", node.me());
        }
    }
}

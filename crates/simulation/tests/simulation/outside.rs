//! The outside world of one simulated node's channels: the simulation's clock, and queues that the
//! simulation empties after each input.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use channels::rates::{Budget, Spending};
use channels::registry::{NodeId, ShardId};
use channels::{Answer, App, Delivery, Interests, Note, Problem, Runtime, Topic, Wake};
use cluster::Now;

/// What a backend of every app wants to hear of.
pub(crate) const INTERESTS: Interests = Interests {
    occupancy: true,
    members: true,
    cache_misses: false,
    counts: false,
    counts_for_clients: false,
};

#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) now: Cell<Now>,
    pub(crate) deliveries: RefCell<VecDeque<(ShardId, Delivery)>>,
    pub(crate) notes: RefCell<VecDeque<Note>>,
    /// The driver has to look what there is to send.
    pub(crate) woken: Cell<bool>,
}

impl Runtime for Outside {
    type Reply = ();

    fn now(&self) -> Now {
        self.now.get()
    }

    fn unix_time(&self) -> Duration {
        self.now.get()
    }

    fn deliver(&self, shard: ShardId, delivery: Delivery) -> bool {
        self.deliveries.borrow_mut().push_back((shard, delivery));
        true
    }

    fn has_room(&self) -> bool {
        true
    }

    fn note(&self, note: Note) {
        self.notes.borrow_mut().push_back(note);
    }

    fn wake(&self, whom: Wake) {
        // Everything else is looked at in every step.
        if whom == Wake::Links {
            self.woken.set(true);
        }
    }

    fn app(&self, id: &str) -> App {
        App { id: id.into(), interests: INTERESTS }
    }

    fn for_each_app(&self, _: impl FnMut(&Arc<str>, u32)) {}

    fn withdrawn(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn withdrawn_by(&self, _: NodeId, apps: Vec<Arc<str>>) {
        assert!(apps.is_empty(), "no configuration switches anything off");
    }

    fn budget<T>(
        &self,
        _: &str,
        _: Spending,
        _: impl FnOnce(&Budget, Option<u32>) -> T,
    ) -> Option<T> {
        None
    }

    fn fetch_last_event(&self, _: &Topic, _: bool) -> bool {
        false
    }

    fn store_last_event(&self, _: &Arc<str>, _: &str) -> bool {
        false
    }

    fn reply(&self, (): (), answer: Answer) {
        panic!("nobody asked for {answer:?}");
    }

    fn report(&self, problem: Problem<'_>) {
        panic!("{problem:?}");
    }
}

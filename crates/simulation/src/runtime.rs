//! What a node's channels have instead of the outside world: the simulated time, and boxes that the
//! node empties after every input. It decides nothing.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use channels::rates::{Budget, Spending};
use channels::registry::{NodeId, ShardId};
use channels::{Answer, App, Delivery, Interests, Note, Problem, Runtime, Topic, Wake};
use cluster::Now;

/// The one app.
pub const APP: &str = "app";
/// How many events the app may publish per second.
pub const RATE: u32 = 100;
/// So many shards a node has.
pub const SHARDS: usize = 2;

/// Everything is said to somebody, so that everything is checked.
pub const INTERESTS: Interests = Interests {
    occupancy: true,
    members: true,
    cache_misses: true,
    counts: true,
    counts_for_clients: true,
};

/// The number of something that is asked of another node.
pub type RequestNumber = u64;

/// The time of all nodes. Clocks that differ are the links' affair.
pub type Clock = Rc<Cell<Now>>;

/// Owned by the node's channels.
pub struct SimRuntime {
    clock: Clock,
    app: Arc<str>,
    inboxes: [RefCell<Vec<Delivery>>; SHARDS],
    notes: RefCell<Vec<Note>>,
    answers: RefCell<Vec<(RequestNumber, Answer)>>,
    events: Budget,
    /// How many connections the app has here.
    pub connections: Cell<u32>,
    /// The shards that have to look.
    shards: [Cell<bool>; SHARDS],
    links: Cell<bool>,
    announcer: Cell<bool>,
    timer: Cell<bool>,
}

impl SimRuntime {
    /// Nothing has happened yet.
    pub fn new(clock: Clock) -> Self {
        SimRuntime {
            clock,
            app: APP.into(),
            inboxes: Default::default(),
            notes: RefCell::default(),
            answers: RefCell::default(),
            events: Budget::default(),
            connections: Cell::new(0),
            shards: Default::default(),
            // A driver looks when it starts.
            links: Cell::new(true),
            announcer: Cell::new(false),
            timer: Cell::new(false),
        }
    }

    /// What a shard has to do, if it was woken for it.
    pub fn inbox(&self, shard: usize) -> Vec<Delivery> {
        match self.shards[shard].take() {
            true => self.inboxes[shard].take(),
            false => Vec::new(),
        }
    }

    /// What the announcer has to hear, if it was woken for it.
    pub fn notes(&self) -> Vec<Note> {
        if self.announcer.take() { self.notes.take() } else { Vec::new() }
    }

    /// What was answered.
    pub fn answers(&self) -> Vec<(RequestNumber, Answer)> {
        self.answers.take()
    }

    /// What the app may publish.
    pub fn event_budget(&self) -> &Budget {
        &self.events
    }

    /// Whether somebody was not woken for what there is.
    pub fn is_anything_left(&self) -> bool {
        let shards = self.inboxes.iter().any(|inbox| !inbox.borrow().is_empty());
        shards || !self.notes.borrow().is_empty()
    }

    /// Whether the driver of the cluster was woken since the last time.
    pub fn take_links(&self) -> bool {
        self.links.take()
    }

    /// Whether the timer was woken since the last time.
    pub fn take_timer(&self) -> bool {
        self.timer.take()
    }
}

impl Runtime for SimRuntime {
    type Reply = RequestNumber;

    fn now(&self) -> Now {
        self.clock.get()
    }

    fn unix_time(&self) -> Duration {
        self.clock.get()
    }

    fn deliver(&self, shard: ShardId, delivery: Delivery) -> bool {
        let mut inbox = self.inboxes[usize::from(shard.0)].borrow_mut();
        inbox.push(delivery);
        inbox.len() == 1
    }

    fn has_room(&self) -> bool {
        true
    }

    fn note(&self, note: Note) {
        self.notes.borrow_mut().push(note);
    }

    fn wake(&self, whom: Wake) {
        match whom {
            Wake::Shard(shard) => self.shards[usize::from(shard.0)].set(true),
            Wake::Links => self.links.set(true),
            Wake::Announcer => self.announcer.set(true),
            Wake::Timer => self.timer.set(true),
            Wake::Store => panic!("there is no place where all nodes keep last events"),
        }
    }

    fn app(&self, id: &str) -> App {
        assert_eq!(id, APP, "there is one app");
        App { id: self.app.clone(), interests: INTERESTS }
    }

    fn for_each_app(&self, mut show: impl FnMut(&Arc<str>, u32)) {
        show(&self.app, self.connections.get());
    }

    fn withdrawn(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn withdrawn_by(&self, _node: NodeId, apps: Vec<Arc<str>>) {
        assert!(apps.is_empty(), "nobody withdraws {apps:?}");
    }

    fn budget<T>(
        &self,
        app: &str,
        on: Spending,
        take: impl FnOnce(&Budget, Option<u32>) -> T,
    ) -> Option<T> {
        assert_eq!((app, on), (APP, Spending::Events));
        Some(take(&self.events, Some(RATE)))
    }

    fn fetch_last_event(&self, _topic: &Topic, _is_known: bool) -> bool {
        false
    }

    fn store_last_event(&self, _app: &Arc<str>, _channel: &str) -> bool {
        false
    }

    fn reply(&self, to: RequestNumber, answer: Answer) {
        self.answers.borrow_mut().push((to, answer));
    }

    fn report(&self, problem: Problem<'_>) {
        panic!("{problem:?}");
    }
}

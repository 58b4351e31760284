//! A broker in memory that does all that brokers do to messages.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use cluster::Incarnation;
use cluster::broker::{Bus, BusError, BusEvent, To};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

/// The broker, and how it treats messages.
#[derive(Default)]
pub(crate) struct Server {
    /// Of a thousand messages so many are lost.
    pub(crate) loss: Cell<u64>,
    /// Of a thousand messages so many come twice.
    pub(crate) repeated: Cell<u64>,
    /// A message takes up to this many milliseconds, so that others overtake it.
    pub(crate) delay: Cell<u64>,
    /// Nothing comes through, and nobody is told.
    pub(crate) silent: Cell<bool>,
    /// What one node says does not come back to it.
    pub(crate) deaf: Cell<Option<u64>>,
    pub(crate) max_message: Cell<Option<usize>>,
    /// The longest message so far.
    pub(crate) longest: Cell<usize>,
    random: Cell<u64>,
    clients: RefCell<BTreeMap<u64, Client>>,
}

struct Client {
    events: UnboundedSender<BusEvent>,
    up: Rc<Cell<bool>>,
}

impl Server {
    pub(crate) fn start() -> Rc<Server> {
        let server = Rc::new(Server::default());
        server.random.set(7);
        server
    }

    pub(crate) fn connect(self: &Rc<Self>, me: u64) -> Memory {
        let (events, receiver) = unbounded_channel();
        events.send(BusEvent::Up).unwrap();
        let up = Rc::new(Cell::new(true));
        self.clients.borrow_mut().insert(me, Client { events, up: up.clone() });
        Memory { me, server: self.clone(), events: RefCell::new(receiver), up }
    }

    /// Every connection breaks.
    pub(crate) fn go_down(&self) {
        for client in self.clients.borrow().values() {
            client.up.set(false);
            let _ = client.events.send(BusEvent::Down { reason: "it was told to".into() });
        }
    }

    /// One connection stands again.
    pub(crate) fn come_up(&self, node: u64) {
        let clients = self.clients.borrow();
        clients[&node].up.set(true);
        let _ = clients[&node].events.send(BusEvent::Up);
    }

    fn random(&self, below: u64) -> u64 {
        // Any old numbers do, if they are the same each time.
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random.set(x);
        x % below
    }

    fn deliver(self: &Rc<Self>, from: u64, to: u64, message: Bytes) {
        if self.silent.get() || self.random(1000) < self.loss.get() {
            return;
        }
        if self.deaf.get() == Some(from) && from == to {
            return;
        }
        let copies = 1 + usize::from(self.random(1000) < self.repeated.get());
        for _ in 0..copies {
            let pause = Duration::from_millis(self.random(self.delay.get() + 1));
            let (server, message) = (self.clone(), message.clone());
            tokio::task::spawn_local(async move {
                sleep(pause).await;
                let clients = server.clients.borrow();
                let client = clients.get(&to).filter(|client| client.up.get());
                client.inspect(|client| _ = client.events.send(BusEvent::Message(message)));
            });
        }
    }
}

/// A connection to it.
pub(crate) struct Memory {
    me: u64,
    server: Rc<Server>,
    events: RefCell<UnboundedReceiver<BusEvent>>,
    up: Rc<Cell<bool>>,
}

impl Bus for Memory {
    async fn next(&self) -> BusEvent {
        let event = std::future::poll_fn(|cx| self.events.borrow_mut().poll_recv(cx));
        event.await.expect("the server lives as long")
    }

    async fn publish(&self, to: &To, message: Bytes) -> Result<(), BusError> {
        let (server, size) = (&self.server, message.len());
        if !self.up.get() {
            return Err(BusError::Down);
        }
        if let Some(max) = server.max_message.get().filter(|max| size > *max) {
            return Err(BusError::TooLong { size, max });
        }
        server.longest.set(server.longest.get().max(size));
        let everybody = || server.clients.borrow().keys().copied().collect();
        let receivers: Vec<u64> = match to {
            To::Everybody => everybody(),
            To::Node(Incarnation(node)) => vec![*node],
        };
        receivers.into_iter().for_each(|to| server.deliver(self.me, to, message.clone()));
        Ok(())
    }

    fn max_message(&self) -> Option<usize> {
        self.server.max_message.get()
    }
}

//! A connection to every server that messages go to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use redis_client::{Address, RedisOptions};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, sleep};

use super::backoff;
use super::publisher::Outbox;
use super::routes::Routes;

/// Keeps them, each on its own, for as long as the server has channels.
pub(super) struct Publishers {
    options: RedisOptions,
    silence: Duration,
    routes: RefCell<Option<Routes>>,
    keepers: RefCell<BTreeMap<Address, Keeper>>,
    /// Somebody would like to connect without waiting for long.
    hurry: Rc<Notify>,
    /// A connection has ended, so the routes may be out of date.
    stale: Rc<Notify>,
}

struct Keeper {
    state: watch::Receiver<PublisherState>,
    task: AbortHandle,
}

#[derive(Clone)]
enum PublisherState {
    /// There is no connection, and why not.
    Down(String),
    Up(Rc<Outbox>),
}

impl Publishers {
    pub(super) fn new(options: RedisOptions, silence: Duration, stale: Rc<Notify>) -> Self {
        Publishers {
            options,
            silence,
            routes: RefCell::default(),
            keepers: RefCell::default(),
            hurry: Rc::default(),
            stale,
        }
    }

    /// Connects to the servers of these routes, and to no others.
    pub(super) fn follow(&self, routes: &Routes) {
        let mut known = self.routes.borrow_mut();
        let mut keepers = self.keepers.borrow_mut();
        let servers = routes.servers();
        let same_command = known.as_ref().is_some_and(|known| known.publish() == routes.publish());
        keepers.retain(|server, _| same_command && servers.contains(server));
        for server in servers {
            keepers.entry(server.clone()).or_insert_with(|| self.keep(server, routes.publish()));
        }
        *known = Some(routes.clone());
    }

    /// Those that wait before they try again try now.
    pub(super) fn hurry(&self) {
        self.hurry.notify_waiters();
    }

    /// The server that has a channel, if that is known.
    pub(super) fn server(&self, channel: &str) -> Option<Address> {
        self.routes.borrow().as_ref()?.owner(channel).cloned()
    }

    /// Where messages to a server are left; none without a connection.
    pub(super) fn outbox(&self, server: &Address) -> Option<Rc<Outbox>> {
        let keepers = self.keepers.borrow();
        match &*keepers.get(server)?.state.borrow() {
            PublisherState::Up(outbox) => Some(outbox.clone()),
            PublisherState::Down(_) => None,
        }
    }

    /// Waits until there is a connection to a server.
    pub(super) async fn up(&self, server: &Address) {
        if self.until(server, |state| matches!(state, PublisherState::Up(_))).await.is_none() {
            // It has no channels any more, so there will never be one.
            std::future::pending().await
        }
    }

    /// Waits until there is no connection to a server, and says why.
    pub(super) async fn down(&self, server: &Address) -> String {
        match self.until(server, |state| matches!(state, PublisherState::Down(_))).await {
            Some(PublisherState::Down(reason)) => reason,
            _ => format!("Redis {server} is not where messages go any more"),
        }
    }

    /// Why there is no connection to a server.
    pub(super) fn trouble(&self, server: &Address) -> String {
        let keepers = self.keepers.borrow();
        match keepers.get(server).map(|keeper| keeper.state.borrow().clone()) {
            Some(PublisherState::Down(reason)) => reason,
            _ => format!("Redis {server}: there is no connection"),
        }
    }

    /// Waits for a state; none if the server has no channels any more.
    async fn until(
        &self,
        server: &Address,
        holds: fn(&PublisherState) -> bool,
    ) -> Option<PublisherState> {
        let state = self.keepers.borrow().get(server).map(|keeper| keeper.state.clone());
        let mut state = state?;
        state.wait_for(holds).await.ok().map(|state| state.clone())
    }

    fn keep(&self, server: &Address, command: &'static str) -> Keeper {
        let (options, server, silence) = (self.options.clone(), server.clone(), self.silence);
        let (hurry, stale) = (self.hurry.clone(), self.stale.clone());
        let trying = PublisherState::Down(format!("Redis {server}: not connected yet"));
        let (told, state) = watch::channel(trying);
        let keeping = async move {
            let mut backoff = backoff();
            loop {
                let mut lasted = Duration::ZERO;
                let reason = match options.open(&server).await {
                    Ok(wire) => {
                        let (outbox, publisher) = Outbox::new();
                        let began = Instant::now();
                        told.send_replace(PublisherState::Up(Rc::new(outbox)));
                        let reason = publisher.publish(wire, command, silence).await;
                        lasted = began.elapsed();
                        reason
                    }
                    Err(error) => error.to_string(),
                };
                tracing::debug!(reason, "no connection to publish");
                told.send_replace(PublisherState::Down(reason));
                stale.notify_one();
                tokio::select! {
                    () = sleep(backoff.pause_after(lasted)) => {}
                    () = hurry.notified() => {}
                }
            }
        };
        Keeper { state, task: spawn_local(keeping).abort_handle() }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! The subscriptions, again and again.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use redis_client::{Address, RedisOptions, Topology};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::backoff;
use super::config::RedisConfig;
use super::listener::Listener;
use super::names::Names;
use super::publishers::Publishers;
use super::queue::SendQueue;
use super::routes::Routes;
use crate::broker::BusEvent;

/// How often sentinels are asked whether the master is still the master: one that is cut off from
/// them does not notice that it is not.
const ASK_SENTINELS: Duration = Duration::from_secs(2);
/// How often a Redis Cluster is asked for its slots, if nothing says that they have changed.
const ASK_CLUSTER: Duration = Duration::from_secs(15);
/// How long to wait before asking because something has changed: more may, and this is no hurry.
const ASK_PAUSE: Duration = Duration::from_millis(200);

/// What keeps a node subscribed. Owned by its task and the bus, on one thread.
pub(super) struct Session {
    pub(super) config: RedisConfig,
    pub(super) names: Names,
    pub(super) queue: SendQueue,
    pub(super) publishers: Publishers,
    /// Whether the hello channel works, in and out.
    pub(super) up: Cell<bool>,
    /// Something has changed, so the routes may be out of date.
    pub(super) stale: Rc<Notify>,
    /// Where the subscriptions are.
    pub(super) routes: watch::Sender<Option<Routes>>,
    /// Servers that were found before.
    known: RefCell<Vec<Address>>,
}

impl Session {
    pub(super) fn new(config: RedisConfig, names: Names) -> Rc<Self> {
        let stale = Rc::<Notify>::default();
        let publishers = Publishers::new(config.publish.clone(), config.silence, stale.clone());
        Rc::new(Session {
            config,
            names,
            queue: SendQueue::default(),
            publishers,
            up: Cell::new(false),
            stale,
            routes: watch::Sender::new(None),
            known: RefCell::default(),
        })
    }

    /// Never ends.
    pub(super) async fn live(self: Rc<Self>) {
        let mut backoff = backoff();
        let mut said = String::new();
        loop {
            let mut lasted = Duration::ZERO;
            let opened = self.open().await;
            let was_up = opened.is_ok();
            let reason = match opened {
                Ok(open) => {
                    let began = Instant::now();
                    tracing::info!(server = %open.listener.server, "connected to Redis");
                    self.up.set(true);
                    self.queue.push(BusEvent::Up).await;
                    let reason = self.serve(open).await;
                    self.up.set(false);
                    lasted = began.elapsed();
                    reason
                }
                Err(reason) => reason,
            };
            if was_up {
                tracing::warn!(reason, "lost Redis, trying again");
            } else if said != reason {
                tracing::warn!(reason, "no connection to Redis, trying again");
            }
            if was_up || said.is_empty() {
                self.queue.push(BusEvent::Down { reason: reason.clone() }).await;
            }
            said = reason;
            sleep(backoff.pause_after(lasted)).await;
        }
    }

    /// Subscribes and connects for publishing, all as the servers say now.
    async fn open(&self) -> Result<Open, String> {
        let (subscribe, publish) = self.find().await?;
        let missing = || format!("no server has the slot of {:?} now", self.names.hello);
        let hello = subscribe.owner(&self.names.hello).ok_or_else(missing)?.clone();
        let publisher = publish.owner(&self.names.hello).ok_or_else(missing)?.clone();
        let together = subscribe.owner(&self.names.inbox) == Some(&hello);
        let both = [self.names.hello.as_str(), &self.names.inbox];
        let channels = if together { &both[..] } else { &both[..1] };
        self.publishers.follow(&publish);
        self.publishers.hurry();
        self.routes.send_replace(Some(subscribe.clone()));
        let connected =
            timeout(self.config.publish.connect_timeout, self.publishers.up(&publisher));
        let connected = async { connected.await.map_err(|_| self.publishers.trouble(&publisher)) };
        let inbox = async { Ok(if together { None } else { Some(self.subscribe_inbox().await) }) };
        // Where the one fails there is no use in waiting for the others: the next attempt is worth
        // more.
        let (listener, inbox, ()) = tokio::try_join!(
            Listener::subscribe(&self.config.subscribe, &hello, subscribe.subscribe(), channels),
            inbox,
            connected
        )?;
        Ok(Open { listener, inbox, publisher })
    }

    /// Until the hello channel does not work any more; says why.
    async fn serve(&self, open: Open) -> String {
        let Open { listener, inbox, publisher } = open;
        let hello = listener.server.clone();
        let inbox = async {
            match inbox {
                Some(first) => self.keep_inbox(first).await,
                None => pending().await,
            }
        };
        tokio::select! {
            reason = listener.listen(&self.queue, self.config.silence) => reason,
            reason = self.publishers.down(&publisher) => reason,
            reason = self.watch(&hello, &publisher) => reason,
            () = inbox => "our inbox is gone".into(),
        }
    }

    /// Asks again now and then where everything is; says when the hello channel is elsewhere.
    async fn watch(&self, hello: &Address, publisher: &Address) -> String {
        let options = [&self.config.subscribe, &self.config.publish];
        let every = options.into_iter().filter_map(asking).min();
        loop {
            let regularly = async {
                match every {
                    Some(pause) => sleep(pause).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = regularly => {}
                () = self.stale.notified() => sleep(ASK_PAUSE).await,
            }
            // Whoever does not answer will be asked again.
            let Ok((subscribe, publish)) = self.find().await else { continue };
            for (routes, server) in [(&subscribe, hello), (&publish, publisher)] {
                if let Some(now) = routes.owner(&self.names.hello).filter(|now| *now != server) {
                    return format!("Redis {now} has taken the place of {server}");
                }
            }
            self.publishers.follow(&publish);
            self.routes.send_replace(Some(subscribe));
        }
    }

    /// Where to subscribe and where to publish.
    async fn find(&self) -> Result<(Routes, Routes), String> {
        let known = self.known.borrow().clone();
        let find =
            async |options| Routes::find(options, &known).await.map_err(|error| error.to_string());
        let subscribe = find(&self.config.subscribe).await?;
        let publish = match self.config.publish == self.config.subscribe {
            true => subscribe.clone(),
            false => find(&self.config.publish).await?,
        };
        *self.known.borrow_mut() = subscribe.servers().into_iter().cloned().collect();
        Ok((subscribe, publish))
    }
}

/// What a session has, once it stands.
struct Open {
    listener: Listener,
    /// The first attempt to listen to our inbox, where another server has it.
    inbox: Option<Result<Listener, String>>,
    /// Where hellos are published.
    publisher: Address,
}

/// How often to ask where the servers are.
fn asking(options: &RedisOptions) -> Option<Duration> {
    match options.topology {
        Topology::Standalone(_) => None,
        Topology::Sentinel(_) => Some(ASK_SENTINELS),
        Topology::Cluster(_) => Some(ASK_CLUSTER),
    }
}

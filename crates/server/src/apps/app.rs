//! One app, for as long as the node knows its id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arc_swap::ArcSwap;
use config::AppConfig;
use protocol::auth::Secret;
use webhooks::Routes;

use super::Counters;
use super::freshness::Freshness;
use crate::limits::{Budget, Spending};
use crate::peers::{Peers, Pending, Wish};

/// What an app's configuration says; replaced as a whole when it changes.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: AppConfig,
    /// The app's secret, ready for signing.
    pub(crate) secret: Secret,
    /// Who wants to hear of what.
    pub(crate) routes: Routes,
}

impl Settings {
    pub(crate) fn new(config: AppConfig) -> Self {
        let secret = Secret::new(config.secret.expose().as_bytes());
        let routes = Routes::new(&config.id, &config.webhooks);
        Settings { config, secret, routes }
    }
}

/// An app of this node, shared by all threads. It outlives changes of its configuration, and its
/// removal for as long as it has connections.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: Arc<str>,
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) counters: Counters,
    /// If it is in a store: when it was seen there.
    pub(super) freshness: Freshness,
    /// Of events published over HTTP.
    events: Budget,
    /// Of reading requests.
    reads: Budget,
    seats: AtomicU32,
    /// Those of them that count towards the quota.
    leased: AtomicU32,
}

impl App {
    pub(crate) fn new(config: AppConfig) -> Self {
        App {
            id: config.id.as_str().into(),
            settings: ArcSwap::from_pointee(Settings::new(config)),
            counters: Counters::default(),
            freshness: Freshness::default(),
            events: Budget::default(),
            reads: Budget::default(),
            seats: AtomicU32::new(0),
            leased: AtomicU32::new(0),
        }
    }

    /// What is spent from.
    pub(crate) fn budget(&self, on: Spending) -> &Budget {
        match on {
            Spending::Events => &self.events,
            Spending::Reads => &self.reads,
        }
    }

    /// How much may be spent per second; none if there is no limit.
    pub(crate) fn rate(&self, on: Spending) -> Option<u32> {
        let settings = self.settings.load();
        match on {
            Spending::Events => settings.config.max_backend_events_per_second,
            Spending::Reads => settings.config.max_read_requests_per_second,
        }
    }

    /// Connections at this moment.
    pub(crate) fn connections(&self) -> u32 {
        self.seats.load(Relaxed)
    }

    /// A place for one more connection, if the app's quota has one; it counts over all nodes.
    pub(crate) fn wish_for_seat(self: &Arc<Self>, peers: &Arc<Peers>) -> SeatWish {
        let Some(limit) = self.settings.load().config.max_connections else {
            return SeatWish::Granted(self.seat(None));
        };
        // Connections from before there was a quota count here, without a lease.
        let unleased = self.seats.load(Relaxed).saturating_sub(self.leased.load(Relaxed));
        match peers.wish(&self.id, limit.saturating_sub(unleased)) {
            Wish::Granted => SeatWish::Granted(self.seat(Some(peers.clone()))),
            Wish::Denied => SeatWish::Denied,
            Wish::Asked(pending) => {
                let (app, peers) = (self.clone(), peers.clone());
                SeatWish::Asked(PendingSeat { app, peers, pending })
            }
        }
    }

    fn seat(self: &Arc<Self>, lease: Option<Arc<Peers>>) -> Seat {
        self.seats.fetch_add(1, Relaxed);
        self.leased.fetch_add(u32::from(lease.is_some()), Relaxed);
        Counters::add(&self.counters.new_connections, 1);
        Seat { app: self.clone(), lease }
    }
}

/// What becomes of the wish for a place.
pub(crate) enum SeatWish {
    Granted(Seat),
    /// The quota is used up.
    Denied,
    /// Another node has been asked.
    Asked(PendingSeat),
}

/// A wish that another node has been asked for. Dropped, it is taken back.
pub(crate) struct PendingSeat {
    app: Arc<App>,
    peers: Arc<Peers>,
    pending: Pending,
}

impl PendingSeat {
    /// The place; none if the quota is used up.
    pub(crate) async fn answer(self) -> Option<Seat> {
        let PendingSeat { app, peers, pending } = self;
        pending.answer().await.then(|| app.seat(Some(peers)))
    }
}

/// A connection's place among its app's; given back when it is dropped, so the count is true
/// whatever ended the connection.
pub(crate) struct Seat {
    app: Arc<App>,
    /// Whom its lease is given back to, if the app has a quota.
    lease: Option<Arc<Peers>>,
}

impl Seat {
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.app.seats.fetch_sub(1, Relaxed);
        if let Some(peers) = &self.lease {
            self.app.leased.fetch_sub(1, Relaxed);
            peers.give_back(&self.app.id);
        }
        Counters::add(&self.app.counters.new_disconnections, 1);
    }
}

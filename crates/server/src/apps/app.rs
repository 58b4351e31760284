//! One app, for as long as the node knows its id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arc_swap::ArcSwap;
use config::AppConfig;
use protocol::auth::Secret;

use super::Counters;
use crate::limits::SharedGcra;

/// What an app's configuration says; replaced as a whole when it changes.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: AppConfig,
    /// The app's secret, ready for signing.
    pub(crate) secret: Secret,
}

impl Settings {
    pub(crate) fn new(config: AppConfig) -> Self {
        let secret = Secret::new(config.secret.expose().as_bytes());
        Settings { config, secret }
    }
}

/// An app of this node, shared by all threads. It outlives changes of its configuration, and its
/// removal for as long as it has connections.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: Arc<str>,
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) counters: Counters,
    /// The budget of events published over HTTP.
    pub(crate) backend_events: SharedGcra,
    /// The budget of reading requests.
    pub(crate) read_requests: SharedGcra,
    seats: AtomicU32,
}

impl App {
    pub(crate) fn new(config: AppConfig) -> Self {
        App {
            id: config.id.as_str().into(),
            settings: ArcSwap::from_pointee(Settings::new(config)),
            counters: Counters::default(),
            backend_events: SharedGcra::default(),
            read_requests: SharedGcra::default(),
            seats: AtomicU32::new(0),
        }
    }

    /// Connections at this moment.
    pub(crate) fn connections(&self) -> u32 {
        self.seats.load(Relaxed)
    }

    /// A place for one more connection; none if the app's quota is used up.
    pub(crate) fn take_seat(self: &Arc<Self>) -> Option<Seat> {
        let limit = self.settings.load().config.max_connections.unwrap_or(u32::MAX);
        let one_more = |taken: u32| (taken < limit).then_some(taken + 1);
        self.seats.fetch_update(Relaxed, Relaxed, one_more).ok()?;
        Counters::add(&self.counters.new_connections, 1);
        Some(Seat(self.clone()))
    }
}

/// A connection's place among its app's; given back when it is dropped, so the count is true
/// whatever ended the connection.
#[derive(Debug)]
pub(crate) struct Seat(Arc<App>);

impl Seat {
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.seats.fetch_sub(1, Relaxed);
        Counters::add(&self.0.counters.new_disconnections, 1);
    }
}

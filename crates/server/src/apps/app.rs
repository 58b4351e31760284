//! One app, for as long as the node knows its id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arc_swap::ArcSwap;
use channels::Interests;
use channels::rates::{Budget, Spending};
use config::AppConfig;
use protocol::auth::Secret;
use protocol::webhook::EventKind;
use webhooks::Routes;

use super::AppCounters;
use super::freshness::Freshness;

/// What an app's configuration says; replaced as a whole when it changes.
#[derive(Debug)]
pub(crate) struct AppSettings {
    pub(crate) config: AppConfig,
    /// The app's secret, ready for signing.
    pub(crate) secret: Secret,
    /// Who wants to hear of what.
    pub(crate) routes: Routes,
    /// What of it matters to the app's channels.
    pub(crate) interests: Interests,
}

impl AppSettings {
    pub(crate) fn new(config: AppConfig) -> Self {
        let secret = Secret::new(config.secret.expose().as_bytes());
        let routes = Routes::new(&config.id, &config.webhooks);
        let interests = interests(&config, &routes);
        AppSettings { config, secret, routes, interests }
    }
}

/// Whoever wants to hear of one half of what comes and goes has to be spared what is taken back with
/// the other (K4), so both are of interest.
fn interests(config: &AppConfig, routes: &Routes) -> Interests {
    let any = |kinds: [EventKind; 2]| kinds.into_iter().any(|kind| routes.want(kind));
    Interests {
        occupancy: any([EventKind::ChannelOccupied, EventKind::ChannelVacated]),
        members: any([EventKind::MemberAdded, EventKind::MemberRemoved]),
        cache_misses: routes.want(EventKind::CacheMiss),
        counts: routes.want(EventKind::SubscriptionCount),
        counts_for_clients: config.enable_subscription_count,
    }
}

/// An app of this node, shared by all threads. It outlives changes of its configuration, and its
/// removal for as long as it has connections.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: Arc<str>,
    pub(crate) settings: ArcSwap<AppSettings>,
    pub(crate) counters: AppCounters,
    /// If it is in a store: when it was seen there.
    pub(super) freshness: Freshness,
    /// Of events published over HTTP.
    events: Budget,
    /// Of reading requests.
    reads: Budget,
    pub(crate) seats: AtomicU32,
    /// Those of them that count towards the quota.
    pub(crate) leased: AtomicU32,
}

impl App {
    pub(crate) fn new(config: AppConfig) -> Self {
        App {
            id: config.id.as_str().into(),
            settings: ArcSwap::from_pointee(AppSettings::new(config)),
            counters: AppCounters::default(),
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
}

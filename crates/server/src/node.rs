//! This node: what all of its threads share. Everything in here is either fixed at start, swapped
//! whole, or behind a short lock of its own.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use channels::registry::ShardId;
use channels::{Channels, Runtime, Settings};
use cluster::Now;
use config::{AdapterDriver, Config, Mode};
use tokio::sync::watch;

use crate::apps::Apps;
use crate::cache::Shared;
use crate::hub::{Inbox, InboxLimits, Op};
use crate::limits::{Descriptors, RedisRates};
use crate::metrics::Stats;
use crate::net::Tls;
use crate::outside::{NodeChannels, Outside};
use crate::webhooks::Meters;

/// Owned by the process, shared by shards, the acceptor and the background runtime.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) apps: Arc<Apps>,
    /// What happens on channels, over all nodes.
    pub(crate) channels: Arc<NodeChannels>,
    /// What becomes of it, for whoever wants to look; set at start.
    pub(crate) meters: OnceLock<Meters>,
    /// Where budgets are kept, if that is Redis.
    pub(crate) redis_rates: Option<RedisRates>,
    pub(crate) descriptors: Arc<Descriptors>,
    /// What the main port speaks, unless it is plain.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) stats: Arc<Stats>,
    /// The port that it listens on.
    pub(crate) port: u16,
    ready: AtomicBool,
    /// It knows all that the other nodes hold, and they know it.
    joined: AtomicBool,
    draining: watch::Sender<bool>,
}

impl Node {
    pub(crate) fn new(
        config: Config,
        shards: u16,
        port: u16,
        descriptors: Descriptors,
        tls: Option<Arc<Tls>>,
        redis_rates: Option<RedisRates>,
        apps: Apps,
    ) -> io::Result<Self> {
        let limits = InboxLimits { events: config.inbox.max_events, bytes: config.inbox.max_bytes };
        let inboxes = (0..shards).map(|_| Inbox::new(limits)).collect();
        let (apps, stats) = (Arc::new(apps), Arc::new(Stats::new(shards)));
        let shared_cache = Shared::of(&config, is_clustered(&config));
        let settings = Settings {
            me: incarnation()?,
            last_event_ttl: config.cache.ttl,
            last_event_bytes: config.cache.max_bytes,
        };
        let outside = Outside::new(apps.clone(), inboxes, shared_cache, stats.clone());
        Ok(Node {
            apps,
            channels: Arc::new(Channels::new(settings, outside)),
            meters: OnceLock::new(),
            redis_rates,
            descriptors: Arc::new(descriptors),
            tls,
            stats,
            port,
            ready: AtomicBool::new(false),
            joined: AtomicBool::new(!is_clustered(&config)),
            draining: watch::Sender::new(false),
            config,
        })
    }

    /// The outside world of the node's channels.
    pub(crate) fn outside(&self) -> &Outside {
        self.channels.runtime()
    }

    /// How long ago the node started.
    pub(crate) fn now(&self) -> Now {
        self.outside().now()
    }

    /// One inbox for each shard.
    pub(crate) fn inboxes(&self) -> &[Inbox] {
        &self.outside().inboxes
    }

    /// Every shard's number.
    pub(crate) fn shards(&self) -> impl Iterator<Item = ShardId> + Clone + use<> {
        (0..self.inboxes().len() as u16).map(ShardId)
    }

    /// One shard's inbox.
    pub(crate) fn inbox(&self, shard: ShardId) -> &Inbox {
        &self.inboxes()[usize::from(shard.0)]
    }

    /// Asks every shard for the same thing.
    pub(crate) fn tell_all(&self, op: impl Fn() -> Op) {
        self.outside().tell_all(op);
    }

    /// Whether publishes may come in. They are refused as long as one shard is far behind: taking
    /// one in for some of its subscribers would lose it for the others.
    pub(crate) fn has_room(&self) -> bool {
        self.outside().has_room()
    }

    /// Whether new work should be sent here.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Relaxed) && self.has_joined() && !self.is_draining()
    }

    /// Whether clients and backends are served; a worker only sends webhooks.
    pub(crate) fn serves_clients(&self) -> bool {
        self.config.mode != Mode::Worker
    }

    /// Whether there can be other nodes.
    pub(crate) fn is_clustered(&self) -> bool {
        is_clustered(&self.config)
    }

    /// Whether the node is part of its cluster, so that it may serve.
    pub(crate) fn has_joined(&self) -> bool {
        self.joined.load(Relaxed)
    }

    /// The node is part of its cluster.
    pub(crate) fn set_joined(&self) {
        self.joined.store(true, Relaxed);
    }

    /// The listeners are open.
    pub(crate) fn set_ready(&self) {
        self.ready.store(true, Relaxed);
    }

    /// Whether the node is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// From now on the node is on its way out.
    pub(crate) fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Resolves when the node is on its way out.
    pub(crate) fn drained(&self) -> impl Future<Output = ()> + use<> {
        let mut draining = self.draining.subscribe();
        async move {
            // The sender lives as long as the node.
            let _ = draining.wait_for(|draining| *draining).await;
        }
    }
}

/// A worker holds nothing that others would have to know.
fn is_clustered(config: &Config) -> bool {
    config.adapter.driver != AdapterDriver::Local && config.mode != Mode::Worker
}

/// A number that no other run of any node has.
fn incarnation() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| io::Error::other(format!("the system has no random numbers: {error}")))?;
    Ok(u64::from_ne_bytes(bytes).max(1))
}

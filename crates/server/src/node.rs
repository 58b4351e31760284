//! This node: what all of its threads share, put together. Everything in here is either fixed at
//! start, swapped whole, or behind a short lock of its own. It must not know who serves with it: a
//! shard and its sessions are given the parts that they need.

use std::io;
use std::sync::{Arc, OnceLock};

use channels::registry::ShardId;
use channels::{ChannelSettings, Channels};
use config::{AdapterDriver, Config, Mode};

use crate::apps::Apps;
use crate::inbox::{Inbox, InboxLimits};
use crate::limits::{Descriptors, RedisRates};
use crate::net::Tls;
use crate::outside::{NodeChannels, NodeRuntime};
use crate::readiness::Readiness;
use crate::shared_cache::SharedCache;
use crate::stats::Stats;
use crate::webhooks::WebhookMetrics;

/// Owned by the process, shared by shards and the background runtime.
pub(crate) struct Node {
    pub(crate) config: Arc<Config>,
    pub(crate) apps: Arc<Apps>,
    /// What happens on channels, over all nodes.
    pub(crate) channels: Arc<NodeChannels>,
    pub(crate) readiness: Arc<Readiness>,
    /// What becomes of webhooks, for whoever wants to look; set at start.
    pub(crate) webhook_metrics: OnceLock<WebhookMetrics>,
    /// Where budgets are kept, if that is Redis.
    pub(crate) redis_rates: Option<RedisRates>,
    pub(crate) descriptors: Arc<Descriptors>,
    /// What the main port speaks, unless it is plain.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) stats: Arc<Stats>,
    /// The port that it listens on.
    pub(crate) port: u16,
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
        let shared_cache = SharedCache::of(&config, is_clustered(&config));
        let settings = ChannelSettings {
            me: incarnation()?,
            last_event_ttl: config.cache.ttl,
            last_event_bytes: config.cache.max_bytes,
        };
        let outside = NodeRuntime::new(apps.clone(), inboxes, shared_cache, stats.clone());
        Ok(Node {
            apps,
            channels: Arc::new(Channels::new(settings, outside)),
            readiness: Arc::new(Readiness::new(!is_clustered(&config))),
            webhook_metrics: OnceLock::new(),
            redis_rates,
            descriptors: Arc::new(descriptors),
            tls,
            stats,
            port,
            config: Arc::new(config),
        })
    }

    /// The outside world of the node's channels.
    pub(crate) fn outside(&self) -> &NodeRuntime {
        self.channels.runtime()
    }

    /// One inbox for each shard.
    pub(crate) fn inboxes(&self) -> &[Inbox] {
        &self.outside().inboxes
    }

    /// Every shard's number.
    pub(crate) fn shards(&self) -> impl Iterator<Item = ShardId> + Clone + use<> {
        (0..self.inboxes().len() as u16).map(ShardId)
    }

    /// Whether clients and backends are served; a worker only sends webhooks.
    pub(crate) fn serves_clients(&self) -> bool {
        self.config.mode != Mode::Worker
    }

    /// Whether there can be other nodes.
    pub(crate) fn is_clustered(&self) -> bool {
        is_clustered(&self.config)
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

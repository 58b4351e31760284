//! This node: what all of its threads share. Everything in here is either fixed at start, swapped
//! whole, or behind a short lock of its own.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use channels::registry::{Registry, ShardId};
use config::{AdapterDriver, Config, Mode};
use tokio::sync::watch;

use crate::apps::Apps;
use crate::cache::{Cache, Shared};
use crate::hub::{Inbox, InboxLimits, Op, SubscriptionCounts};
use crate::limits::{Descriptors, RedisRates};
use crate::metrics::Stats;
use crate::net::Tls;
use crate::peers::Peers;
use crate::webhooks::{Meters, Notice, Notices};

/// Owned by the process, shared by shards, the acceptor and the background runtime.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) apps: Apps,
    pub(crate) registry: Registry,
    pub(crate) cache: Cache,
    /// What is shared of it through Redis, if it is.
    pub(crate) shared_cache: Option<Shared>,
    pub(crate) subscription_counts: SubscriptionCounts,
    pub(crate) peers: Arc<Peers>,
    /// What may be a backend's business.
    pub(crate) notices: Notices,
    /// What becomes of it, for whoever wants to look; set at start.
    pub(crate) meters: OnceLock<Meters>,
    /// Since when it has served.
    serving: OnceLock<Instant>,
    /// Where budgets are kept, if that is Redis.
    pub(crate) redis_rates: Option<RedisRates>,
    /// One for each shard.
    pub(crate) inboxes: Box<[Inbox]>,
    pub(crate) descriptors: Arc<Descriptors>,
    /// What the main port speaks, unless it is plain.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) stats: Stats,
    /// When the node started; the zero of [`Node::nanos`].
    pub(crate) started: Instant,
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
        Ok(Node {
            apps,
            registry: Registry::default(),
            cache: Cache::new(config.cache.ttl, config.cache.max_bytes),
            shared_cache: Shared::of(&config, is_clustered(&config)),
            subscription_counts: SubscriptionCounts::default(),
            peers: Arc::new(Peers::new(incarnation()?)),
            notices: Notices::default(),
            meters: OnceLock::new(),
            serving: OnceLock::new(),
            inboxes: (0..shards).map(|_| Inbox::new(limits)).collect(),
            redis_rates,
            descriptors: Arc::new(descriptors),
            tls,
            stats: Stats::new(shards),
            started: Instant::now(),
            port,
            ready: AtomicBool::new(false),
            joined: AtomicBool::new(!is_clustered(&config)),
            draining: watch::Sender::new(false),
            config,
        })
    }

    /// Nanoseconds since the node started, for the rate limits.
    pub(crate) fn nanos(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Every shard's number.
    pub(crate) fn shards(&self) -> impl Iterator<Item = ShardId> + Clone + use<> {
        (0..self.inboxes.len() as u16).map(ShardId)
    }

    /// One shard's inbox.
    pub(crate) fn inbox(&self, shard: ShardId) -> &Inbox {
        &self.inboxes[usize::from(shard.0)]
    }

    /// Asks every shard for the same thing.
    pub(crate) fn tell_all(&self, op: impl Fn() -> Op) {
        self.inboxes.iter().for_each(|inbox| inbox.send(op()));
    }

    /// Whether publishes may come in. They are refused as long as one shard is far behind: taking
    /// one in for some of its subscribers would lose it for the others.
    pub(crate) fn has_room(&self) -> bool {
        self.inboxes.iter().all(Inbox::has_room)
    }

    /// Whether new work should be sent here.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Relaxed) && self.has_joined() && !self.is_draining()
    }

    /// This node serves from now on, or has for a while: it speaks for its channels.
    pub(crate) fn begin_serving(&self) {
        let since = self.serving.get_or_init(Instant::now);
        self.notices.tell(Notice::Ready(self.peers.incarnation(), since.elapsed()));
    }

    /// For how long this node has served; none if it does not.
    pub(crate) fn serving(&self) -> Option<Duration> {
        self.serving.get().filter(|_| self.is_ready()).map(Instant::elapsed)
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

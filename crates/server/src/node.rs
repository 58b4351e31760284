//! This node: what all of its threads share. Everything in here is either fixed at start, swapped
//! whole, or behind a short lock of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use config::{AdapterDriver, Config};
use registry::{Registry, ShardId};
use tokio::sync::watch;

use crate::apps::Apps;
use crate::cache::Cache;
use crate::hub::{Inbox, InboxLimits, Op, SubscriptionCounts};
use crate::limits::{Descriptors, RedisRates};
use crate::metrics::Stats;
use crate::net::Tls;
use crate::peers::Peers;

/// Owned by the process, shared by shards, the acceptor and the background runtime.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) apps: Apps,
    pub(crate) registry: Registry,
    pub(crate) cache: Cache,
    pub(crate) subscription_counts: SubscriptionCounts,
    pub(crate) peers: Arc<Peers>,
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
    ) -> io::Result<Self> {
        let limits = InboxLimits { events: config.inbox.max_events, bytes: config.inbox.max_bytes };
        Ok(Node {
            apps: Apps::new(config.apps.clone()),
            registry: Registry::default(),
            cache: Cache::new(config.cache.ttl, config.cache.max_bytes),
            subscription_counts: SubscriptionCounts::default(),
            peers: Arc::new(Peers::new(incarnation()?)),
            inboxes: (0..shards).map(|_| Inbox::new(limits)).collect(),
            redis_rates,
            descriptors: Arc::new(descriptors),
            tls,
            stats: Stats::new(shards),
            started: Instant::now(),
            port,
            ready: AtomicBool::new(false),
            joined: AtomicBool::new(config.adapter.driver == AdapterDriver::Local),
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

/// A number that no other run of any node has.
fn incarnation() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| io::Error::other(format!("the system has no random numbers: {error}")))?;
    Ok(u64::from_ne_bytes(bytes).max(1))
}

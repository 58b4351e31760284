//! A server that runs: starting it, waiting for signals, stopping it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use app_stores::AppStore;
use channels::registry::ShardId;
use config::{AdapterDriver, CacheDriver, Config, Mode, QueueDriver, RateLimiterDriver};
use redis_client::RedisOptions;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::spawn_local;

use crate::apps::Apps;
use crate::background::{Background, Signals};
use crate::hub::Shard;
use crate::limits::{Descriptors, RedisQuestions, RedisRates};
use crate::net::{Bound, Tls};
use crate::node::Node;
use crate::peers::{Membership, Participant};
use crate::reload::Reload;
use crate::start_error::StartError;
use crate::stats::count_panics;
use crate::task_thread::TaskThread;
use crate::webhooks::Opened;
use crate::{http, net};

/// How long a start that is not ready at once is waited for before it is told about.
const QUIET_START: Duration = Duration::from_secs(1);
/// How often to look meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A server that serves. Dropping it lets it run on; [`stop`](Self::stop) ends it.
pub struct Running {
    pub(crate) node: Arc<Node>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stop: mpsc::Sender<()>,
    background: JoinHandle<()>,
}

impl Running {
    /// Where the main port listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the metrics are, if they are enabled.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The number of shards.
    pub fn shards(&self) -> usize {
        self.node.inboxes().len()
    }

    /// Why no work should be sent to it yet, if so: a cluster or a store of apps that it cannot reach.
    pub fn unready(&self) -> Option<String> {
        http::unready(&self.node)
    }

    /// Waits until it is ready, for so long at most.
    fn wait_until_ready(&self, patience: Duration) {
        let until = Instant::now() + patience;
        while self.unready().is_some() && Instant::now() < until {
            thread::sleep(LOOK_EVERY);
        }
    }

    /// What joins it to other nodes, and how many there are.
    pub fn cluster(&self) -> String {
        match self.node.config.adapter.driver {
            AdapterDriver::Local => "none, this node is on its own".to_owned(),
            driver => format!(
                "{driver}, other nodes that are ready: {}",
                self.node.channels.ready_peers()
            ),
        }
    }

    /// Where apps come from.
    pub fn apps(&self) -> String {
        self.node.apps.source()
    }

    /// Who sends webhooks.
    pub fn webhooks(&self) -> String {
        let Config { mode, queue, .. } = &*self.node.config;
        match (*mode, queue.driver) {
            (Mode::Full, QueueDriver::Sync) => "sent by this process".to_owned(),
            (Mode::Full, queue) => format!("through the queue {queue}, also sent by this process"),
            (Mode::Server, QueueDriver::Sync) => {
                "sent by nobody: workers need queue.driver = redis or sqs, here and there"
                    .to_owned()
            }
            (Mode::Server, queue) => format!("through the queue {queue}, sent by workers"),
            (Mode::Worker, queue) => {
                format!(
                    "this process is a worker: it sends those in the queue {queue}, and serves no clients"
                )
            }
        }
    }

    /// Whether it serves clients and backends; a worker does not.
    pub fn serves_clients(&self) -> bool {
        self.node.serves_clients()
    }

    /// The limit of file descriptors, and how many WebSockets fit below it.
    pub fn descriptors(&self) -> (usize, usize) {
        (self.node.descriptors.limit(), self.node.descriptors.websocket_limit())
    }

    /// Closes everything within the grace period, then returns.
    pub fn stop(self) {
        // Full means that it was asked to stop already.
        let _ = self.stop.try_send(());
        self.wait();
    }

    /// Returns when the server has stopped.
    pub fn wait(self) {
        // A panic there has been counted and logged.
        let _ = self.background.join();
    }
}

/// Starts a server. It listens when this returns.
pub fn start(config: Config, reload: Option<Reload>) -> Result<Running, StartError> {
    let store = app_stores::open(&config)?;
    start_with_store(config, reload, store)
}

/// Starts a server whose apps are in a store of the caller's own; `None` = in the configuration.
pub fn start_with_store(
    config: Config,
    reload: Option<Reload>,
    store: Option<Arc<dyn AppStore>>,
) -> Result<Running, StartError> {
    count_panics();
    let tls = config.ssl.as_ref().map(Tls::load).transpose()?.map(Arc::new);
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let shards = if config.shards == 0 { cores() } else { config.shards };
    let main = Port { host: &config.host, port: config.port, option: "port" };
    let metrics =
        Port { host: &config.metrics.host, port: config.metrics.port, option: "metrics.port" };
    let bound = main.bind(shards, config.reuse_port)?;
    let metrics_listener = match config.metrics.enabled {
        true => metrics.listen(metrics.bind(1, false)?)?.pop(),
        false => None,
    };
    let address = bound.address();
    let metrics_address = metrics_listener.as_ref().map(TcpListener::local_addr).transpose()?;

    let descriptors = Descriptors::claim(config.fd_reserve);
    let (redis_rates, redis_questions) = redis_rates(&config)?.unzip();
    let redis_cache = redis_cache(&config)?;
    let apps = match &store {
        Some(store) => Apps::in_store(store.name(), &config.app_manager),
        None => Apps::new(config.apps.clone()),
    };
    let (port, count) = (address.port(), shards as u16);
    let node = Node::new(config.clone(), count, port, descriptors, tls, redis_rates, apps);
    let node = Arc::new(node?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let webhooks = {
        let _inside = runtime.enter();
        Opened::new(&node.config, &node.apps)?
    };
    let threads: io::Result<Vec<_>> =
        node.shards().map(|shard| TaskThread::start(format!("shard-{}", shard.0))).collect();
    let threads = threads?;
    let membership = if node.is_clustered() {
        Some(Membership::join(participant(&node), &threads)?)
    } else {
        None
    };
    if node.readiness.has_joined() {
        // Before the first client: what it does has to be told by somebody.
        node.channels.set_serving(true);
    }
    for ((shard, listener), thread) in node.shards().zip(main.listen(bound)?).zip(&threads) {
        start_shard(shard, &node, listener, thread);
    }

    let (stop, stopped) = mpsc::channel(1);
    // Whoever hears that the node is ready may signal it at once.
    let signals = match reload {
        Some(reload) => {
            let _inside = runtime.enter();
            Some(Signals::of(reload)?)
        }
        None => None,
    };
    let membership = membership.map(Arc::new);
    let background = Background {
        node: node.clone(),
        metrics: metrics_listener,
        signals,
        membership,
        redis_questions,
        redis_cache,
        store,
        webhooks,
    };
    node.readiness.set_listening();
    let background = thread::Builder::new().name("background".into()).spawn(move || {
        background.run(runtime, stopped);
        // The shards' end when everything else has.
        drop(threads);
    })?;
    Ok(Running { node, address, metrics_address, stop, background })
}

/// Starts a server, calls `started` with it when it is ready or a moment has passed, and returns when it has stopped after SIGTERM or
/// SIGINT. SIGHUP reloads.
pub fn run(
    config: Config,
    reload: Reload,
    started: impl FnOnce(&Running),
) -> Result<(), StartError> {
    let running = start(config, Some(reload))?;
    running.wait_until_ready(QUIET_START);
    started(&running);
    running.wait();
    Ok(())
}

/// What of the node takes part in its cluster.
fn participant(node: &Node) -> Participant {
    Participant {
        config: node.config.clone(),
        channels: node.channels.clone(),
        readiness: node.readiness.clone(),
    }
}

/// Starts a shard on its thread, where it serves what arrives at its listener until it is told to
/// stop.
fn start_shard(id: ShardId, node: &Arc<Node>, listener: TcpListener, thread: &TaskThread) {
    let node = node.clone();
    thread.spawn(move || {
        let (config, channels) = (node.config.clone(), node.channels.clone());
        let shard = Shard::new(id, config, channels, node.stats.clone());
        let listen = http::listen(node, shard.clone(), listener);
        async move {
            spawn_local(listen);
            shard.run().await;
        }
    });
}

/// Where budgets are kept, and who answers for it, if that is Redis.
fn redis_rates(config: &Config) -> Result<Option<(RedisRates, RedisQuestions)>, StartError> {
    let limiter = &config.rate_limiter;
    if limiter.driver != RateLimiterDriver::Redis {
        return Ok(None);
    }
    let (cluster_mode, laid) = (limiter.redis_cluster_mode, &limiter.redis_options);
    Ok(Some(RedisRates::new(RedisOptions::configured(config, cluster_mode, laid)?)))
}

/// Where the last events of cache channels are kept, if that is Redis.
fn redis_cache(config: &Config) -> Result<Option<RedisOptions>, StartError> {
    let cache = &config.cache;
    if cache.driver != CacheDriver::Redis {
        return Ok(None);
    }
    Ok(Some(RedisOptions::configured(config, cache.redis_cluster_mode, &cache.redis_options)?))
}

/// A port to listen on, and the option that says so.
struct Port<'a> {
    host: &'a str,
    port: u16,
    option: &'static str,
}

impl Port<'_> {
    fn bind(&self, count: usize, shared: bool) -> Result<Bound, StartError> {
        net::bind(self.host, self.port, count, shared).map_err(|error| self.error(error))
    }

    fn listen(&self, bound: Bound) -> Result<Vec<TcpListener>, StartError> {
        bound.listen().map_err(|error| self.error(error))
    }

    fn error(&self, error: io::Error) -> StartError {
        let Port { host, port, option } = *self;
        StartError::Listen { host: host.to_owned(), port, option, error }
    }
}

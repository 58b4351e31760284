//! The typed configuration: what the server reads. Durations are `Duration`s and sizes are bytes
//! here, whatever unit the option is written in; every value has been validated.

mod app;
mod choice;
mod drivers;
mod origin;

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use app::{AppConfig, Webhook, WebhookTarget};
pub use choice::{
    AdapterDriver, AppManagerDriver, CacheDriver, LogFormat, MetricsDriver, Mode, QueueDriver,
    RateLimiterDriver, SqlSslMode,
};
pub use drivers::{
    Adapter, AppManager, Cache, ClientOptions, Cluster, Database, DatabasePooling, DynamoDb, Nats,
    NodeAddress, Queue, RateLimiter, Redis, RedisAdapter, RedisQueue, SqlDatabase, Sqs,
};
pub use origin::OriginPattern;

use crate::secret::Secret;

/// The whole effective configuration of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `host`: the address or host name to listen on.
    pub host: String,
    /// `port`: the port to listen on; 0 lets the system choose.
    pub port: u16,
    /// `pathPrefix`: the prefix of every route, `""` or `"/x"` without a trailing slash.
    pub path_prefix: String,
    /// `debug`: verbose logging.
    pub debug: bool,
    /// `mode`: what this process does.
    pub mode: Mode,
    /// `shards`: the number of connection threads; 0 = one per core.
    pub shards: usize,
    /// `reusePort`: whether other processes of this host may listen on the port, too.
    pub reuse_port: bool,
    /// `fdReserve`: file descriptors kept free for everything but connections; 0 = automatic.
    pub fd_reserve: usize,
    /// `trustedProxies`: whose `X-Forwarded-For` and PROXY protocol headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `proxyProtocol`: whether connections from trusted proxies start with a PROXY protocol
    /// header.
    pub proxy_protocol: bool,
    /// `strictProtocolVersion`: refuse protocol versions that are missing or unknown.
    pub strict_protocol_version: bool,
    /// `activityTimeout`: the silence after which either side pings (W7).
    pub activity_timeout: Duration,
    /// `pongTimeout`: how long the answer to a ping may take (W11).
    pub pong_timeout: Duration,
    /// `userAuthenticationTimeout`: how long a connection may stay unauthorised where the app
    /// wants Authorized Connections (W50).
    pub user_authentication_timeout: Duration,
    /// `shutdownGracePeriod`: over how long connections are closed on shutdown.
    pub shutdown_grace: Duration,
    /// `log.*`: logging.
    pub log: Log,
    /// `channelLimits.*`, `eventLimits.*`, `presence.*`: the server-wide limits, all of them set.
    pub limits: Limits,
    /// `connection.*`: bounds of one connection.
    pub connection: Connection,
    /// `inbox.*`: bounds of a shard's inbox.
    pub inbox: Inbox,
    /// `httpApi.*`: the HTTP API.
    pub http: Http,
    /// `cors.*`: cross-origin requests to the HTTP API.
    pub cors: Cors,
    /// `ssl.*`: TLS; `None` when no certificate is configured.
    pub ssl: Option<Ssl>,
    /// `metrics.*`: the metrics server.
    pub metrics: Metrics,
    /// `appManager.array.apps`: the configured apps. Ids and keys are unique.
    pub apps: Vec<AppConfig>,
    /// `appManager.*`: where apps come from.
    pub app_manager: AppManager,
    /// `adapter.*`: how nodes reach each other.
    pub adapter: Adapter,
    /// `cluster.*`: finding and watching other nodes.
    pub cluster: Cluster,
    /// `cache.*` and `channelLimits.cache*`: the last events of cache channels.
    pub cache: Cache,
    /// `queue.*`: the queue of webhooks.
    pub queue: Queue,
    /// `rateLimiter.*`: who counts towards rate limits.
    pub rate_limiter: RateLimiter,
    /// `webhooks.*`: sending webhooks.
    pub webhooks: Webhooks,
    /// `database.*`: connections to databases.
    pub database: Database,
    /// `databasePooling.*`: the pool of SQL connections.
    pub database_pooling: DatabasePooling,
}

/// Logging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// `log.format`: the form of a line.
    pub format: LogFormat,
}

/// Limits on names, events and presence channels; `None` = unlimited. The same shape serves the
/// server ([`Config::limits`], where every limit is set) and an app ([`AppConfig::limits`], where
/// what the app leaves out has been filled in from the server's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of a channel name.
    pub max_channel_name_length: Option<usize>,
    /// Characters of an event name.
    pub max_event_name_length: Option<usize>,
    /// Bytes of an event's data.
    pub max_event_payload: Option<usize>,
    /// Channels that one trigger may name.
    pub max_event_channels: Option<usize>,
    /// Events that one batch may hold.
    pub max_event_batch: Option<usize>,
    /// Distinct members of a presence channel.
    pub max_presence_members: Option<usize>,
    /// Bytes of one member's `user_info`.
    pub max_presence_member_size: Option<usize>,
}

/// Bounds of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// `connection.maxPendingInKb`: bytes that may wait to be written before the connection is
    /// closed as too slow.
    pub max_pending: usize,
    /// `connection.maxFrameInKb`: bytes of one inbound WebSocket frame or fragmented message.
    /// The option's 0 is resolved here: twice the largest event payload limit plus 8 KB, at
    /// least 128 KB and at most 16 MB.
    pub max_frame: usize,
    /// `connection.maxSubscriptions`: channels that one connection may be subscribed to.
    pub max_subscriptions: usize,
}

/// Bounds of a shard's inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// `inbox.maxEvents`: events that may wait.
    pub max_events: usize,
    /// `inbox.maxMb`: bytes that may wait.
    pub max_bytes: usize,
}

/// The HTTP API.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// `httpApi.requestLimitInMb`: bytes of a request body; above it 413.
    pub max_request: usize,
    /// `httpApi.keepAliveTimeout`: how long an idle connection, or the head of a request, may
    /// take.
    pub keep_alive_timeout: Duration,
    /// `httpApi.acceptTraffic.memoryThreshold`: percent of the memory limit (0 to 100) above
    /// which `/accept-traffic` answers 500.
    pub memory_threshold: f64,
}

/// Cross-origin requests to the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// `cors.credentials`: whether credentials are allowed.
    pub credentials: bool,
    /// `cors.origin`: allowed origins; `*` = all.
    pub origin: Vec<String>,
    /// `cors.methods`: allowed methods.
    pub methods: Vec<String>,
    /// `cors.allowedHeaders`: allowed request headers.
    pub allowed_headers: Vec<String>,
}

/// TLS on the main port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssl {
    /// `ssl.certPath`: PEM certificate chain.
    pub cert: PathBuf,
    /// `ssl.keyPath`: PEM private key.
    pub key: PathBuf,
    /// `ssl.passphrase`: of the private key.
    pub passphrase: Option<Secret>,
    /// `ssl.caPath`: PEM certificates that client certificates are verified against; `None` = no
    /// client certificate is asked for.
    pub client_ca: Option<PathBuf>,
    /// `ssl.requireClientCert`: whether a client without a certificate is refused; always false
    /// without [`client_ca`](Self::client_ca).
    pub require_client_cert: bool,
}

/// The metrics server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// `metrics.enabled`: whether the metrics server runs.
    pub enabled: bool,
    /// `metrics.driver`: the form of the metrics.
    pub driver: MetricsDriver,
    /// `metrics.host`: the address or host name to listen on.
    pub host: String,
    /// `metrics.port`: the port to listen on; 0 lets the system choose.
    pub port: u16,
    /// `metrics.prometheus.prefix`: the prefix of every metric's name.
    pub prefix: String,
}

/// Sending webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// `webhooks.batching.enabled`: whether events are gathered into one request.
    pub batching: bool,
    /// `webhooks.batching.duration`: for how long they are gathered.
    pub batching_duration: Duration,
    /// `webhooks.grace`: how long whoever left may take to be back without anybody hearing of it.
    pub grace: Duration,
    /// `webhooks.retryFor`: for how long after its first attempt a request is tried again.
    pub retry_for: Duration,
    /// `webhooks.maxPendingInMb`: bytes that all waiting requests of this node may take.
    pub max_pending: usize,
    /// `webhooks.caPath`: a PEM file with authorities that are believed besides the system's.
    pub ca_path: Option<PathBuf>,
    /// `webhooks.denyPrivateTargets`: whether targets with private addresses are refused.
    pub deny_private_targets: bool,
}

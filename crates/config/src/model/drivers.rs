//! Adapters, stores, queues and the databases behind them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    AdapterDriver, AppManagerDriver, CacheDriver, QueueDriver, RateLimiterDriver, SqlSslMode,
};
use crate::mask;
use crate::secret::Secret;

/// A JSON object of settings that is handed on to a client library as it is. `Debug` masks the
/// members that look like secrets.
#[derive(Clone, Default, PartialEq)]
pub struct ClientOptions(pub Map<String, Value>);

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&mask::masked(&Value::Object(self.0.clone())), f)
    }
}

/// A host and a port, of a server to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress {
    /// Address or host name.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// How nodes reach each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// `adapter.driver`.
    pub driver: AdapterDriver,
    /// `adapter.cluster.requestsTimeout`.
    pub cluster_requests_timeout: Duration,
    /// `adapter.redis.*`.
    pub redis: RedisAdapter,
    /// `adapter.nats.*`.
    pub nats: Nats,
}

/// The Redis adapter.
#[derive(Clone, Debug, PartialEq)]
pub struct RedisAdapter {
    /// `adapter.redis.prefix`: prefix of every Redis channel.
    pub prefix: String,
    /// `adapter.redis.clusterMode`: Redis Cluster through `database.redis.clusterNodes`.
    pub cluster_mode: bool,
    /// `adapter.redis.requestsTimeout`.
    pub requests_timeout: Duration,
    /// `adapter.redis.redisSubOptions`: laid over `database.redis` for the subscribing connection.
    pub sub_options: ClientOptions,
    /// `adapter.redis.redisPubOptions`: likewise for the publishing one.
    pub pub_options: ClientOptions,
}

/// The NATS adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nats {
    /// `adapter.nats.prefix`: prefix of every subject.
    pub prefix: String,
    /// `adapter.nats.servers`: `host:port` or URLs.
    pub servers: Vec<String>,
    /// `adapter.nats.user`.
    pub user: Option<String>,
    /// `adapter.nats.pass`.
    pub password: Option<Secret>,
    /// `adapter.nats.token`.
    pub token: Option<Secret>,
    /// `adapter.nats.tls.caPath`: a file in PEM form.
    pub ca: Option<PathBuf>,
    /// `adapter.nats.timeout`: of a connection attempt.
    pub timeout: Duration,
    /// `adapter.nats.requestsTimeout`.
    pub requests_timeout: Duration,
}

/// Finding and watching other nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// `cluster.hostname`: the address to listen on.
    pub host: String,
    /// `cluster.port`: UDP hellos and TCP links.
    pub port: u16,
    /// `cluster.prefix`: nodes with another prefix are strangers.
    pub prefix: String,
    /// `cluster.ignoreProcess`: ignore hellos of this very process.
    pub ignore_process: bool,
    /// `cluster.broadcast`: discovery by UDP broadcast, unless one of the next two is set.
    pub broadcast: String,
    /// `cluster.multicast`: discovery by multicast instead.
    pub multicast: Option<String>,
    /// `cluster.unicast`: discovery by unicast instead of both; empty = not set.
    pub unicast: Vec<String>,
    /// `cluster.dns`: discovery by the addresses behind this name as well, with a port or not.
    pub dns: Option<String>,
    /// `cluster.peers`: discovery by this list of `host:port` as well.
    pub peers: Vec<String>,
    /// `cluster.secret`: what every node has to know.
    pub secret: Option<Secret>,
    /// `cluster.tls.certPath`, `.keyPath` and `.caPath`: files in PEM form; all or none.
    pub tls: [Option<PathBuf>; 3],
    /// `cluster.minPeers`: a node that is linked to fewer others is not ready.
    pub min_peers: usize,
    /// `cluster.replayInMb`: bytes that may wait for one peer.
    pub replay_bytes: usize,
    /// `cluster.replayTime`: for how long they may.
    pub replay_age: Duration,
    /// `cluster.checkInterval`: how often liveness is checked.
    pub check_interval: Duration,
    /// `cluster.helloInterval`: how often a hello is sent.
    pub hello_interval: Duration,
    /// `cluster.nodeTimeout`: the silence after which a node is dead.
    pub node_timeout: Duration,
}

/// Where apps come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppManager {
    /// `appManager.driver`.
    pub driver: AppManagerDriver,
    /// `appManager.cache.enabled`: whether apps from a database are cached.
    pub cache: bool,
    /// `appManager.cache.ttl`: for how long; `None` = for ever (-1).
    pub cache_ttl: Option<Duration>,
    /// `appManager.mysql.table`.
    pub mysql_table: String,
    /// `appManager.postgres.table`.
    pub postgres_table: String,
    /// `appManager.dynamodb.*`.
    pub dynamodb: DynamoDb,
}

/// The DynamoDB table of apps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoDb {
    /// `appManager.dynamodb.table`.
    pub table: String,
    /// `appManager.dynamodb.region`.
    pub region: String,
    /// `appManager.dynamodb.endpoint`: instead of the region's own.
    pub endpoint: Option<String>,
}

/// The last events of cache channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// `cache.driver`.
    pub driver: CacheDriver,
    /// `channelLimits.cacheTtl`: how long an event is kept; `None` = for ever (-1).
    pub ttl: Option<Duration>,
    /// `channelLimits.cacheMaxInMb`: bytes that all kept events of this node may take.
    pub max_bytes: usize,
    /// `cache.redis.clusterMode`.
    pub redis_cluster_mode: bool,
    /// `cache.redis.redisOptions`: laid over `database.redis`.
    pub redis_options: ClientOptions,
}

/// The queue of webhooks.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// `queue.driver`.
    pub driver: QueueDriver,
    /// `queue.redis.*`.
    pub redis: RedisQueue,
    /// `queue.sqs.*`.
    pub sqs: Sqs,
}

/// The Redis queue.
#[derive(Clone, Debug, PartialEq)]
pub struct RedisQueue {
    /// `queue.redis.concurrency`: how many times eight jobs of a lane are in hand at a time.
    pub concurrency: u32,
    /// `queue.redis.maxPendingJobs`: how many jobs of a lane may wait.
    pub max_pending_jobs: u64,
    /// `queue.redis.redisOptions`: laid over `database.redis`.
    pub options: ClientOptions,
    /// `queue.redis.clusterMode`.
    pub cluster_mode: bool,
}

/// The SQS queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Sqs {
    /// `queue.sqs.region`.
    pub region: String,
    /// `queue.sqs.clientOptions`: settings of the AWS client.
    pub client_options: ClientOptions,
    /// `queue.sqs.queueUrl`.
    pub queue_url: String,
    /// `queue.sqs.endpoint`: instead of the region's own.
    pub endpoint: Option<String>,
    /// `queue.sqs.processBatch`: whether several messages are taken at a time.
    pub process_batch: bool,
    /// `queue.sqs.batchSize`: how many.
    pub batch_size: u32,
    /// `queue.sqs.pollingWaitTimeMs`: the pause after a poll that found nothing.
    pub polling_wait: Duration,
}

/// Who counts towards rate limits.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimiter {
    /// `rateLimiter.driver`.
    pub driver: RateLimiterDriver,
    /// `rateLimiter.redis.redisOptions`: laid over `database.redis`.
    pub redis_options: ClientOptions,
    /// `rateLimiter.redis.clusterMode`.
    pub redis_cluster_mode: bool,
}

/// Connections to databases.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// `database.mysql.*`.
    pub mysql: SqlDatabase,
    /// `database.postgres.*`.
    pub postgres: SqlDatabase,
    /// `database.redis.*`.
    pub redis: Redis,
}

/// A SQL database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlDatabase {
    /// `url`: says everything that the other fields say, and stands in their place.
    pub url: Option<Secret>,
    /// Address or host name, or the path of a socket.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Name of the database.
    pub database: String,
    /// `ssl.mode`: how connections are encrypted.
    pub ssl_mode: SqlSslMode,
    /// `ssl.caPath`: a file with authorities, in PEM form, beside the public ones.
    pub ssl_ca: Option<PathBuf>,
}

/// Redis: standalone, behind Sentinel, or a Cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Redis {
    /// `database.redis.host`.
    pub host: String,
    /// `database.redis.port`.
    pub port: u16,
    /// `database.redis.db`: number of the database.
    pub db: u32,
    /// `database.redis.username`: ACL user.
    pub username: Option<String>,
    /// `database.redis.password`.
    pub password: Option<Secret>,
    /// `database.redis.keyPrefix`: prefix of every key.
    pub key_prefix: String,
    /// `database.redis.sentinels`: empty = no Sentinel.
    pub sentinels: Vec<NodeAddress>,
    /// `database.redis.sentinelPassword`.
    pub sentinel_password: Option<Secret>,
    /// `database.redis.clusterNodes`.
    pub cluster_nodes: Vec<NodeAddress>,
    /// `database.redis.name`: the Sentinel master's name.
    pub master_name: String,
    /// `database.redis.options`: further options of connections.
    pub options: ClientOptions,
}

/// The pool of SQL connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabasePooling {
    /// `databasePooling.enabled`.
    pub enabled: bool,
    /// `databasePooling.min`: connections kept open.
    pub min: u32,
    /// `databasePooling.max`: connections at a time; at least `min`.
    pub max: u32,
}

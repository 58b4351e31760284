//! Webhooks, cache, rate limiter, adapter, cluster, queue and the databases behind them.

use super::{OptionSpec, row};
use crate::kind::Kind;
use crate::model::{AdapterDriver, CacheDriver, QueueDriver, RateLimiterDriver, SqlSslMode};

const BOOL: Kind = Kind::Bool;
const TEXT: Kind = Kind::Text;
const OBJECT: Kind = Kind::Object;
/// A port to connect to.
const PORT: Kind = Kind::Int { min: 1, max: 65_535 };
const MS: Kind = Kind::Int { min: 1, max: 86_400_000 };

pub(super) const WEBHOOKS: &[OptionSpec] = &[
    row(
        "WEBHOOKS_BATCHING",
        "webhooks.batching.enabled",
        BOOL,
        "false",
        "Gather several events into one request.",
    ),
    row(
        "WEBHOOKS_BATCHING_DURATION",
        "webhooks.batching.duration",
        MS,
        "50",
        "For how long they are gathered, in ms.",
    ),
    row(
        "WEBHOOKS_GRACE",
        "webhooks.grace",
        Kind::Int { min: 0, max: 3_600_000 },
        "3000",
        "How long after `channel_vacated` or `member_removed` the channel or member may be back \
         without anybody hearing of it, in ms.",
    ),
    row(
        "WEBHOOKS_RETRY_FOR",
        "webhooks.retryFor",
        Kind::Int { min: 0, max: 86_400 },
        "300",
        "For how long after its first attempt a request is tried again, in s.",
    ),
    row(
        "WEBHOOKS_MAX_PENDING_MB",
        "webhooks.maxPendingInMb",
        Kind::Int { min: 4, max: 1_048_576 },
        "64",
        "What all waiting requests of this node may take, in MB; those to one target of an app a \
         quarter of it.",
    ),
    row(
        "WEBHOOKS_CA",
        "webhooks.caPath",
        Kind::NonEmpty,
        "null",
        "Authorities in PEM form that targets may be vouched for by, besides those of the system.",
    ),
    row(
        "WEBHOOKS_DENY_PRIVATE_TARGETS",
        "webhooks.denyPrivateTargets",
        BOOL,
        "false",
        "Refuse targets whose addresses are not public: for apps that others configure.",
    ),
];

pub(super) const CACHE: &[OptionSpec] = &[
    row(
        "CACHE_DRIVER",
        "cache.driver",
        Kind::OneOf(CacheDriver::NAMES),
        r#""memory""#,
        "Where the last event of a cache channel is kept.",
    ),
    row(
        "CHANNEL_CACHE_TTL",
        "channelLimits.cacheTtl",
        Kind::Int { min: -1, max: 31_536_000 },
        "3600",
        "For how long, in s; -1 = for ever, 0 = not at all.",
    ),
    row(
        "CHANNEL_CACHE_MAX_MB",
        "channelLimits.cacheMaxInMb",
        Kind::Int { min: 1, max: 1_048_576 },
        "64",
        "What all kept events of this node may take, in MB.",
    ),
    row(
        "CACHE_REDIS_CLUSTER_MODE",
        "cache.redis.clusterMode",
        BOOL,
        "false",
        "Redis Cluster through `database.redis.clusterNodes`.",
    ),
    row(
        "CACHE_REDIS_OPTIONS",
        "cache.redis.redisOptions",
        OBJECT,
        "{}",
        "Connection options laid over `database.redis`.",
    ),
];

pub(super) const RATE_LIMITER: &[OptionSpec] = &[
    row(
        "RATE_LIMITER_DRIVER",
        "rateLimiter.driver",
        Kind::OneOf(RateLimiterDriver::NAMES),
        r#""local""#,
        "Who counts towards rate limits.",
    ),
    row(
        "RATE_LIMITER_REDIS_OPTIONS",
        "rateLimiter.redis.redisOptions",
        OBJECT,
        "{}",
        "Connection options laid over `database.redis`.",
    ),
    row(
        "RATE_LIMITER_REDIS_CLUSTER_MODE",
        "rateLimiter.redis.clusterMode",
        BOOL,
        "false",
        "Redis Cluster through `database.redis.clusterNodes`.",
    ),
];

pub(super) const ADAPTER: &[OptionSpec] = &[
    row(
        "ADAPTER_DRIVER",
        "adapter.driver",
        Kind::OneOf(AdapterDriver::NAMES),
        r#""local""#,
        "How nodes reach each other.",
    ),
    row(
        "ADAPTER_CLUSTER_REQUESTS_TIMEOUT",
        "adapter.cluster.requestsTimeout",
        MS,
        "5000",
        "Time-out of requests between nodes, in ms.",
    )
    .ignored("nodes do not ask each other anything on a request"),
    row(
        "ADAPTER_REDIS_PREFIX",
        "adapter.redis.prefix",
        TEXT,
        r#""""#,
        "Prefix of every Redis channel, so that two deployments can share one Redis.",
    ),
    row(
        "ADAPTER_REDIS_CLUSTER_MODE",
        "adapter.redis.clusterMode",
        BOOL,
        "false",
        "Redis Cluster through `database.redis.clusterNodes`.",
    ),
    row(
        "ADAPTER_REDIS_REQUESTS_TIMEOUT",
        "adapter.redis.requestsTimeout",
        MS,
        "5000",
        "Time-out of requests between nodes, in ms.",
    )
    .ignored("nodes do not ask each other anything on a request"),
    row(
        "ADAPTER_REDIS_SUB_OPTIONS",
        "adapter.redis.redisSubOptions",
        OBJECT,
        "{}",
        "Connection options laid over `database.redis` for the subscribing connection.",
    ),
    row(
        "ADAPTER_REDIS_PUB_OPTIONS",
        "adapter.redis.redisPubOptions",
        OBJECT,
        "{}",
        "Likewise for the publishing connection.",
    ),
    row("ADAPTER_NATS_PREFIX", "adapter.nats.prefix", TEXT, r#""""#, "Prefix of every subject."),
    row(
        "ADAPTER_NATS_SERVERS",
        "adapter.nats.servers",
        Kind::TextList,
        r#"["127.0.0.1:4222"]"#,
        "Servers to connect to.",
    ),
    row("ADAPTER_NATS_USER", "adapter.nats.user", TEXT, "null", "User."),
    row("ADAPTER_NATS_PASSWORD", "adapter.nats.pass", TEXT, "null", "Password.").secret(),
    row("ADAPTER_NATS_TOKEN", "adapter.nats.token", TEXT, "null", "Token.").secret(),
    row(
        "ADAPTER_NATS_TLS_CA",
        "adapter.nats.tls.caPath",
        Kind::NonEmpty,
        "null",
        "The authority that has signed the certificates of `tls://` servers, instead of those that \
         this system believes.",
    ),
    row(
        "ADAPTER_NATS_TIMEOUT",
        "adapter.nats.timeout",
        MS,
        "10000",
        "Time-out of a connection attempt, in ms.",
    ),
    row(
        "ADAPTER_NATS_REQUESTS_TIMEOUT",
        "adapter.nats.requestsTimeout",
        MS,
        "5000",
        "Time-out of requests between nodes, in ms.",
    )
    .ignored("nodes do not ask each other anything on a request"),
    row(
        "ADAPTER_NATS_NODES_NUMBER",
        "adapter.nats.nodesNumber",
        Kind::Int { min: 0, max: 1_000_000 },
        "null",
        "Accepted without effect.",
    )
    .ignored("the number of nodes is known, not guessed"),
];

pub(super) const CLUSTER: &[OptionSpec] = &[
    row("CLUSTER_HOST", "cluster.hostname", Kind::Host, r#""0.0.0.0""#, "Address to listen on."),
    row("CLUSTER_PORT", "cluster.port", PORT, "11002", "Port of UDP hellos and TCP links."),
    row(
        "CLUSTER_PREFIX",
        "cluster.prefix",
        TEXT,
        r#""""#,
        "Nodes with another prefix are strangers.",
    ),
    row(
        "CLUSTER_IGNORE_PROCESS",
        "cluster.ignoreProcess",
        BOOL,
        "true",
        "Ignore hellos of this very process.",
    ),
    row(
        "CLUSTER_BROADCAST_ADDRESS",
        "cluster.broadcast",
        Kind::Host,
        r#""255.255.255.255""#,
        "Discovery by UDP broadcast, unless multicast or unicast is set.",
    ),
    row(
        "CLUSTER_MULTICAST_ADDRESS",
        "cluster.multicast",
        Kind::Host,
        "null",
        "Discovery by multicast instead of broadcast.",
    ),
    row(
        "CLUSTER_UNICAST_ADDRESSES",
        "cluster.unicast",
        Kind::TextList,
        "null",
        "Discovery by unicast instead of both.",
    ),
    row(
        "CLUSTER_DNS",
        "cluster.dns",
        Kind::NonEmpty,
        "null",
        "Discovery by the addresses behind a name as well, `name` or `name:port`; a headless \
         Kubernetes service, for example.",
    ),
    row(
        "CLUSTER_PEERS",
        "cluster.peers",
        Kind::TextList,
        "null",
        "Discovery by a fixed list as well, `host:port` each.",
    ),
    row(
        "CLUSTER_SECRET",
        "cluster.secret",
        Kind::NonEmpty,
        "null",
        "What every node has to know to belong to the cluster.",
    )
    .secret(),
    row(
        "CLUSTER_TLS_CERT",
        "cluster.tls.certPath",
        Kind::NonEmpty,
        "null",
        "This node's certificate chain; set all three to encrypt links.",
    ),
    row("CLUSTER_TLS_KEY", "cluster.tls.keyPath", Kind::NonEmpty, "null", "Its private key."),
    row(
        "CLUSTER_TLS_CA",
        "cluster.tls.caPath",
        Kind::NonEmpty,
        "null",
        "The authority that has signed every node's certificate.",
    ),
    row(
        "CLUSTER_MIN_PEERS",
        "cluster.minPeers",
        Kind::Int { min: 0, max: 1_000 },
        "0",
        "`/ready` fails while this node is linked to fewer others.",
    ),
    row(
        "CLUSTER_REPLAY_MB",
        "cluster.replayInMb",
        Kind::Int { min: 1, max: 65_536 },
        "16",
        "What waits for one peer that cannot be reached, in MB; beyond it events are lost, and counted.",
    ),
    row("CLUSTER_REPLAY_TIME", "cluster.replayTime", MS, "30000", "For how long it waits, in ms."),
    row(
        "CLUSTER_CHECK_INTERVAL",
        "cluster.checkInterval",
        MS,
        "500",
        "How often liveness is checked, in ms.",
    ),
    row(
        "CLUSTER_KEEPALIVE_INTERVAL",
        "cluster.helloInterval",
        MS,
        "500",
        "How often a hello is sent, in ms.",
    ),
    row(
        "CLUSTER_NODE_TIMEOUT",
        "cluster.nodeTimeout",
        MS,
        "2000",
        "Silence after which a node is dead, in ms.",
    ),
    row("CLUSTER_MASTER_TIMEOUT", "cluster.masterTimeout", MS, "2000", "Accepted without effect.")
        .ignored("there is no master"),
];

pub(super) const QUEUE: &[OptionSpec] = &[
    row(
        "QUEUE_DRIVER",
        "queue.driver",
        Kind::OneOf(QueueDriver::NAMES),
        r#""sync""#,
        "Where webhooks wait to be sent.",
    ),
    row(
        "QUEUE_REDIS_CONCURRENCY",
        "queue.redis.concurrency",
        Kind::Int { min: 1, max: 10_000 },
        "1",
        "Jobs of one webhook target that are in hand at a time, in eights; those of one channel \
         are done one after the other all the same.",
    ),
    row(
        "QUEUE_REDIS_MAX_PENDING_JOBS",
        "queue.redis.maxPendingJobs",
        Kind::Int { min: 1, max: 1_000_000_000 },
        "100000",
        "Jobs of one webhook target that may wait; more are refused.",
    ),
    row(
        "QUEUE_REDIS_OPTIONS",
        "queue.redis.redisOptions",
        OBJECT,
        "{}",
        "Connection options laid over `database.redis`.",
    ),
    row(
        "QUEUE_REDIS_CLUSTER_MODE",
        "queue.redis.clusterMode",
        BOOL,
        "false",
        "Redis Cluster through `database.redis.clusterNodes`.",
    ),
    row("QUEUE_SQS_REGION", "queue.sqs.region", Kind::NonEmpty, r#""us-east-1""#, "Region."),
    row(
        "QUEUE_SQS_CLIENT_OPTIONS",
        "queue.sqs.clientOptions",
        OBJECT,
        "{}",
        "Settings of the AWS client.",
    ),
    row("QUEUE_SQS_URL", "queue.sqs.queueUrl", TEXT, r#""""#, "URL of the queue."),
    row(
        "QUEUE_SQS_ENDPOINT",
        "queue.sqs.endpoint",
        TEXT,
        "null",
        "Endpoint instead of the region's own.",
    ),
    row(
        "QUEUE_SQS_PROCESS_BATCH",
        "queue.sqs.processBatch",
        BOOL,
        "false",
        "Take several messages at a time.",
    ),
    row(
        "QUEUE_SQS_BATCH_SIZE",
        "queue.sqs.batchSize",
        Kind::Int { min: 1, max: 10 },
        "1",
        "How many.",
    ),
    row(
        "QUEUE_SQS_POLLING_WAIT_TIME_MS",
        "queue.sqs.pollingWaitTimeMs",
        Kind::Int { min: 0, max: 20_000 },
        "0",
        "The pause after a poll that found nothing, in ms; a poll waits up to 20 s for messages.",
    ),
];

pub(super) const DATABASE: &[OptionSpec] = &[
    row("DB_POOLING_ENABLED", "databasePooling.enabled", BOOL, "false", "Pool SQL connections."),
    row(
        "DB_POOLING_MIN",
        "databasePooling.min",
        Kind::Int { min: 0, max: 10_000 },
        "0",
        "Connections kept open.",
    ),
    row(
        "DB_POOLING_MAX",
        "databasePooling.max",
        Kind::Int { min: 1, max: 10_000 },
        "7",
        "Connections at a time.",
    ),
    row(
        "DB_MYSQL_HOST",
        "database.mysql.host",
        Kind::NonEmpty,
        r#""127.0.0.1""#,
        "MySQL host, or the path of a socket.",
    ),
    row("DB_MYSQL_PORT", "database.mysql.port", PORT, "3306", "Port."),
    row("DB_MYSQL_USERNAME", "database.mysql.user", TEXT, r#""root""#, "User."),
    row("DB_MYSQL_PASSWORD", "database.mysql.password", TEXT, r#""password""#, "Password.")
        .secret(),
    row("DB_MYSQL_DATABASE", "database.mysql.database", Kind::NonEmpty, r#""main""#, "Database."),
    row(
        "DB_MYSQL_URL",
        "database.mysql.url",
        Kind::NonEmpty,
        "null",
        "`mysql://user:password@host:port/database`, instead of the five above.",
    )
    .secret(),
    row(
        "DB_MYSQL_SSL_MODE",
        "database.mysql.ssl.mode",
        Kind::OneOf(SqlSslMode::NAMES),
        "null",
        "How connections are encrypted; null = `verify-full` with a `ssl.caPath`, else `prefer`.",
    ),
    row(
        "DB_MYSQL_SSL_CA",
        "database.mysql.ssl.caPath",
        Kind::NonEmpty,
        "null",
        "The authority that has signed the server's certificate, in PEM form, beside the public ones.",
    ),
    row(
        "DB_POSTGRES_HOST",
        "database.postgres.host",
        Kind::NonEmpty,
        r#""127.0.0.1""#,
        "PostgreSQL host, or the folder of a socket.",
    ),
    row("DB_POSTGRES_PORT", "database.postgres.port", PORT, "5432", "Port."),
    row("DB_POSTGRES_USERNAME", "database.postgres.user", TEXT, r#""postgres""#, "User."),
    row("DB_POSTGRES_PASSWORD", "database.postgres.password", TEXT, r#""password""#, "Password.")
        .secret(),
    row(
        "DB_POSTGRES_DATABASE",
        "database.postgres.database",
        Kind::NonEmpty,
        r#""main""#,
        "Database.",
    ),
    row(
        "DB_POSTGRES_URL",
        "database.postgres.url",
        Kind::NonEmpty,
        "null",
        "`postgres://user:password@host:port/database`, instead of the five above.",
    )
    .secret(),
    row(
        "DB_POSTGRES_SSL_MODE",
        "database.postgres.ssl.mode",
        Kind::OneOf(SqlSslMode::NAMES),
        "null",
        "How connections are encrypted; null = `verify-full` with a `ssl.caPath`, else `prefer`.",
    ),
    row(
        "DB_POSTGRES_SSL_CA",
        "database.postgres.ssl.caPath",
        Kind::NonEmpty,
        "null",
        "The authority that has signed the server's certificate, in PEM form, beside the public ones.",
    ),
    row("DB_REDIS_HOST", "database.redis.host", Kind::NonEmpty, r#""127.0.0.1""#, "Redis host."),
    row("DB_REDIS_PORT", "database.redis.port", PORT, "6379", "Port."),
    row(
        "DB_REDIS_DB",
        "database.redis.db",
        Kind::Int { min: 0, max: 1_000_000 },
        "0",
        "Number of the database.",
    ),
    row("DB_REDIS_USERNAME", "database.redis.username", TEXT, "null", "ACL user."),
    row("DB_REDIS_PASSWORD", "database.redis.password", TEXT, "null", "Password.").secret(),
    row("DB_REDIS_KEY_PREFIX", "database.redis.keyPrefix", TEXT, r#""""#, "Prefix of every key."),
    row(
        "DB_REDIS_SENTINELS",
        "database.redis.sentinels",
        Kind::Nodes { port: 26_379 },
        "null",
        "Sentinels; set, they are asked for the master.",
    ),
    row(
        "DB_REDIS_SENTINEL_PASSWORD",
        "database.redis.sentinelPassword",
        TEXT,
        "null",
        "Password of the Sentinels.",
    )
    .secret(),
    row(
        "DB_REDIS_CLUSTER_NODES",
        "database.redis.clusterNodes",
        Kind::Nodes { port: 6_379 },
        "[]",
        "Nodes of a Redis Cluster.",
    ),
    row(
        "DB_REDIS_INSTANCE_NAME",
        "database.redis.name",
        Kind::NonEmpty,
        r#""mymaster""#,
        "The Sentinel master's name.",
    ),
    row(
        "DB_REDIS_OPTIONS",
        "database.redis.options",
        OBJECT,
        "{}",
        "Further connection options for every use of Redis, in the spelling of ioredis: `tls`, \
         `connectTimeout`, `sentinelUsername`, `sentinelTLS`.",
    ),
];

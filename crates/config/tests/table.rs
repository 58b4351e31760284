//! The table of options against a copy of what the configurations of soketi 1.6 say: names, keys
//! and defaults must not drift, or a configuration written for it starts another server.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::collections::HashSet;

use config::Source;
use config::options::{self, DefaultValue, OptionSpec};
use serde_json::{Value, json};
use support::setup;

/// Name in the environment, key in the file, default as JSON.
const SOKETI: &[(&str, &str, &str)] = &[
    ("ADAPTER_DRIVER", "adapter.driver", r#""local""#),
    ("ADAPTER_CLUSTER_REQUESTS_TIMEOUT", "adapter.cluster.requestsTimeout", "5000"),
    ("ADAPTER_REDIS_PREFIX", "adapter.redis.prefix", r#""""#),
    ("ADAPTER_REDIS_CLUSTER_MODE", "adapter.redis.clusterMode", "false"),
    ("ADAPTER_REDIS_REQUESTS_TIMEOUT", "adapter.redis.requestsTimeout", "5000"),
    ("ADAPTER_REDIS_SUB_OPTIONS", "adapter.redis.redisSubOptions", "{}"),
    ("ADAPTER_REDIS_PUB_OPTIONS", "adapter.redis.redisPubOptions", "{}"),
    ("ADAPTER_NATS_PREFIX", "adapter.nats.prefix", r#""""#),
    ("ADAPTER_NATS_SERVERS", "adapter.nats.servers", r#"["127.0.0.1:4222"]"#),
    ("ADAPTER_NATS_USER", "adapter.nats.user", "null"),
    ("ADAPTER_NATS_PASSWORD", "adapter.nats.pass", "null"),
    ("ADAPTER_NATS_TOKEN", "adapter.nats.token", "null"),
    ("ADAPTER_NATS_TIMEOUT", "adapter.nats.timeout", "10000"),
    ("ADAPTER_NATS_REQUESTS_TIMEOUT", "adapter.nats.requestsTimeout", "5000"),
    ("ADAPTER_NATS_NODES_NUMBER", "adapter.nats.nodesNumber", "null"),
    ("APP_MANAGER_DRIVER", "appManager.driver", r#""array""#),
    ("APP_MANAGER_CACHE_ENABLED", "appManager.cache.enabled", "false"),
    ("APP_MANAGER_CACHE_TTL", "appManager.cache.ttl", "-1"),
    ("APP_MANAGER_DYNAMODB_TABLE", "appManager.dynamodb.table", r#""apps""#),
    ("APP_MANAGER_DYNAMODB_REGION", "appManager.dynamodb.region", r#""us-east-1""#),
    ("APP_MANAGER_DYNAMODB_ENDPOINT", "appManager.dynamodb.endpoint", "null"),
    ("APP_MANAGER_MYSQL_TABLE", "appManager.mysql.table", r#""apps""#),
    ("APP_MANAGER_MYSQL_VERSION", "appManager.mysql.version", r#""8.0""#),
    ("APP_MANAGER_POSTGRES_TABLE", "appManager.postgres.table", r#""apps""#),
    ("APP_MANAGER_POSTGRES_VERSION", "appManager.postgres.version", r#""13.3""#),
    ("APP_MANAGER_MYSQL_USE_V2", "appManager.mysql.useMysql2", "false"),
    ("CHANNEL_LIMITS_MAX_NAME_LENGTH", "channelLimits.maxNameLength", "200"),
    ("CHANNEL_CACHE_TTL", "channelLimits.cacheTtl", "3600"),
    ("CACHE_DRIVER", "cache.driver", r#""memory""#),
    ("CACHE_REDIS_CLUSTER_MODE", "cache.redis.clusterMode", "false"),
    ("CACHE_REDIS_OPTIONS", "cache.redis.redisOptions", "{}"),
    ("CLUSTER_CHECK_INTERVAL", "cluster.checkInterval", "500"),
    ("CLUSTER_HOST", "cluster.hostname", r#""0.0.0.0""#),
    ("CLUSTER_IGNORE_PROCESS", "cluster.ignoreProcess", "true"),
    ("CLUSTER_BROADCAST_ADDRESS", "cluster.broadcast", r#""255.255.255.255""#),
    ("CLUSTER_KEEPALIVE_INTERVAL", "cluster.helloInterval", "500"),
    ("CLUSTER_MASTER_TIMEOUT", "cluster.masterTimeout", "2000"),
    ("CLUSTER_MULTICAST_ADDRESS", "cluster.multicast", "null"),
    ("CLUSTER_NODE_TIMEOUT", "cluster.nodeTimeout", "2000"),
    ("CLUSTER_PORT", "cluster.port", "11002"),
    ("CLUSTER_PREFIX", "cluster.prefix", r#""""#),
    ("CLUSTER_UNICAST_ADDRESSES", "cluster.unicast", "null"),
    ("DEBUG", "debug", "false"),
    ("DEFAULT_APP_ID", "appManager.array.apps.0.id", r#""app-id""#),
    ("DEFAULT_APP_KEY", "appManager.array.apps.0.key", r#""app-key""#),
    ("DEFAULT_APP_SECRET", "appManager.array.apps.0.secret", r#""app-secret""#),
    ("DEFAULT_APP_MAX_CONNS", "appManager.array.apps.0.maxConnections", "-1"),
    ("DEFAULT_APP_ENABLE_CLIENT_MESSAGES", "appManager.array.apps.0.enableClientMessages", "false"),
    ("DEFAULT_APP_ENABLED", "appManager.array.apps.0.enabled", "true"),
    (
        "DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC",
        "appManager.array.apps.0.maxBackendEventsPerSecond",
        "-1",
    ),
    (
        "DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC",
        "appManager.array.apps.0.maxClientEventsPerSecond",
        "-1",
    ),
    ("DEFAULT_APP_MAX_READ_REQ_PER_SEC", "appManager.array.apps.0.maxReadRequestsPerSecond", "-1"),
    ("DEFAULT_APP_USER_AUTHENTICATION", "appManager.array.apps.0.enableUserAuthentication", "null"),
    ("DEFAULT_APP_WEBHOOKS", "appManager.array.apps.0.webhooks", "[]"),
    ("DB_POOLING_ENABLED", "databasePooling.enabled", "false"),
    ("DB_POOLING_MIN", "databasePooling.min", "0"),
    ("DB_POOLING_MAX", "databasePooling.max", "7"),
    ("DB_MYSQL_HOST", "database.mysql.host", r#""127.0.0.1""#),
    ("DB_MYSQL_PORT", "database.mysql.port", "3306"),
    ("DB_MYSQL_USERNAME", "database.mysql.user", r#""root""#),
    ("DB_MYSQL_PASSWORD", "database.mysql.password", r#""password""#),
    ("DB_MYSQL_DATABASE", "database.mysql.database", r#""main""#),
    ("DB_POSTGRES_HOST", "database.postgres.host", r#""127.0.0.1""#),
    ("DB_POSTGRES_PORT", "database.postgres.port", "5432"),
    ("DB_POSTGRES_USERNAME", "database.postgres.user", r#""postgres""#),
    ("DB_POSTGRES_PASSWORD", "database.postgres.password", r#""password""#),
    ("DB_POSTGRES_DATABASE", "database.postgres.database", r#""main""#),
    ("DB_REDIS_HOST", "database.redis.host", r#""127.0.0.1""#),
    ("DB_REDIS_PORT", "database.redis.port", "6379"),
    ("DB_REDIS_DB", "database.redis.db", "0"),
    ("DB_REDIS_USERNAME", "database.redis.username", "null"),
    ("DB_REDIS_PASSWORD", "database.redis.password", "null"),
    ("DB_REDIS_KEY_PREFIX", "database.redis.keyPrefix", r#""""#),
    ("DB_REDIS_SENTINELS", "database.redis.sentinels", "null"),
    ("DB_REDIS_SENTINEL_PASSWORD", "database.redis.sentinelPassword", "null"),
    ("DB_REDIS_CLUSTER_NODES", "database.redis.clusterNodes", "[]"),
    ("DB_REDIS_INSTANCE_NAME", "database.redis.name", r#""mymaster""#),
    ("EVENT_MAX_BATCH_SIZE", "eventLimits.maxBatchSize", "10"),
    ("EVENT_MAX_CHANNELS_AT_ONCE", "eventLimits.maxChannelsAtOnce", "100"),
    ("EVENT_MAX_NAME_LENGTH", "eventLimits.maxNameLength", "200"),
    ("EVENT_MAX_SIZE_IN_KB", "eventLimits.maxPayloadInKb", "100"),
    ("HOST", "host", r#""0.0.0.0""#),
    ("HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD", "httpApi.acceptTraffic.memoryThreshold", "85"),
    ("METRICS_ENABLED", "metrics.enabled", "false"),
    ("METRICS_DRIVER", "metrics.driver", r#""prometheus""#),
    ("METRICS_HOST", "metrics.host", r#""0.0.0.0""#),
    ("METRICS_PROMETHEUS_PREFIX", "metrics.prometheus.prefix", r#""soketi_""#),
    ("METRICS_SERVER_PORT", "metrics.port", "9601"),
    ("MODE", "mode", r#""full""#),
    ("PORT", "port", "6001"),
    ("PATH_PREFIX", "pathPrefix", r#""""#),
    ("PRESENCE_MAX_MEMBER_SIZE", "presence.maxMemberSizeInKb", "2"),
    ("PRESENCE_MAX_MEMBERS", "presence.maxMembersPerChannel", "100"),
    ("QUEUE_DRIVER", "queue.driver", r#""sync""#),
    ("QUEUE_REDIS_CONCURRENCY", "queue.redis.concurrency", "1"),
    ("QUEUE_REDIS_OPTIONS", "queue.redis.redisOptions", "{}"),
    ("QUEUE_REDIS_CLUSTER_MODE", "queue.redis.clusterMode", "false"),
    ("QUEUE_SQS_REGION", "queue.sqs.region", r#""us-east-1""#),
    ("QUEUE_SQS_CLIENT_OPTIONS", "queue.sqs.clientOptions", "{}"),
    ("QUEUE_SQS_URL", "queue.sqs.queueUrl", r#""""#),
    ("QUEUE_SQS_ENDPOINT", "queue.sqs.endpoint", "null"),
    ("QUEUE_SQS_PROCESS_BATCH", "queue.sqs.processBatch", "false"),
    ("QUEUE_SQS_BATCH_SIZE", "queue.sqs.batchSize", "1"),
    ("QUEUE_SQS_POLLING_WAIT_TIME_MS", "queue.sqs.pollingWaitTimeMs", "0"),
    ("RATE_LIMITER_DRIVER", "rateLimiter.driver", r#""local""#),
    ("RATE_LIMITER_REDIS_OPTIONS", "rateLimiter.redis.redisOptions", "{}"),
    ("RATE_LIMITER_REDIS_CLUSTER_MODE", "rateLimiter.redis.clusterMode", "false"),
    ("SHUTDOWN_GRACE_PERIOD", "shutdownGracePeriod", "3000"),
    ("SSL_CERT", "ssl.certPath", r#""""#),
    ("SSL_KEY", "ssl.keyPath", r#""""#),
    ("SSL_PASS", "ssl.passphrase", r#""""#),
    ("SSL_CA", "ssl.caPath", r#""""#),
    ("USER_AUTHENTICATION_TIMEOUT", "userAuthenticationTimeout", "30000"),
    ("WEBHOOKS_BATCHING", "webhooks.batching.enabled", "false"),
    ("WEBHOOKS_BATCHING_DURATION", "webhooks.batching.duration", "50"),
    ("HTTP_MAX_REQUEST_SIZE", "httpApi.requestLimitInMb", "100"),
];

/// What only Dunlin has.
const OWN: &[(&str, &str, &str)] = &[
    ("ACTIVITY_TIMEOUT", "activityTimeout", "30"),
    ("PONG_TIMEOUT", "pongTimeout", "30"),
    ("STRICT_PROTOCOL_VERSION", "strictProtocolVersion", "false"),
    ("SHARDS", "shards", "0"),
    ("REUSE_PORT", "reusePort", "false"),
    ("FD_RESERVE", "fdReserve", "0"),
    ("CLUSTER_DNS", "cluster.dns", "null"),
    ("CLUSTER_PEERS", "cluster.peers", "null"),
    ("CLUSTER_SECRET", "cluster.secret", "null"),
    ("CLUSTER_TLS_CERT", "cluster.tls.certPath", "null"),
    ("CLUSTER_TLS_KEY", "cluster.tls.keyPath", "null"),
    ("CLUSTER_TLS_CA", "cluster.tls.caPath", "null"),
    ("ADAPTER_NATS_TLS_CA", "adapter.nats.tls.caPath", "null"),
    ("CLUSTER_MIN_PEERS", "cluster.minPeers", "0"),
    ("CLUSTER_REPLAY_MB", "cluster.replayInMb", "16"),
    ("CLUSTER_REPLAY_TIME", "cluster.replayTime", "30000"),
    ("DB_REDIS_OPTIONS", "database.redis.options", "{}"),
    ("LOG_FORMAT", "log.format", r#""text""#),
    ("TRUSTED_PROXIES", "trustedProxies", "[]"),
    ("PROXY_PROTOCOL", "proxyProtocol", "false"),
    ("CONNECTION_MAX_PENDING_KB", "connection.maxPendingInKb", "1024"),
    ("CONNECTION_MAX_FRAME_KB", "connection.maxFrameInKb", "0"),
    ("CONNECTION_MAX_SUBSCRIPTIONS", "connection.maxSubscriptions", "1000"),
    ("INBOX_MAX_EVENTS", "inbox.maxEvents", "65536"),
    ("INBOX_MAX_MB", "inbox.maxMb", "64"),
    ("CHANNEL_CACHE_MAX_MB", "channelLimits.cacheMaxInMb", "64"),
    ("WEBHOOKS_GRACE", "webhooks.grace", "3000"),
    ("WEBHOOKS_RETRY_FOR", "webhooks.retryFor", "300"),
    ("WEBHOOKS_MAX_PENDING_MB", "webhooks.maxPendingInMb", "64"),
    ("WEBHOOKS_CA", "webhooks.caPath", "null"),
    ("WEBHOOKS_DENY_PRIVATE_TARGETS", "webhooks.denyPrivateTargets", "false"),
    ("HTTP_KEEP_ALIVE_TIMEOUT", "httpApi.keepAliveTimeout", "75"),
    ("QUEUE_REDIS_MAX_PENDING_JOBS", "queue.redis.maxPendingJobs", "100000"),
    ("SSL_REQUIRE_CLIENT_CERT", "ssl.requireClientCert", "false"),
    (
        "DEFAULT_APP_ENABLE_SUBSCRIPTION_COUNT",
        "appManager.array.apps.0.enableSubscriptionCount",
        "false",
    ),
    ("DEFAULT_APP_ALLOWED_ORIGINS", "appManager.array.apps.0.allowedOrigins", "[]"),
    ("DB_MYSQL_URL", "database.mysql.url", "null"),
    ("DB_MYSQL_SSL_MODE", "database.mysql.ssl.mode", "null"),
    ("DB_MYSQL_SSL_CA", "database.mysql.ssl.caPath", "null"),
    ("DB_POSTGRES_URL", "database.postgres.url", "null"),
    ("DB_POSTGRES_SSL_MODE", "database.postgres.ssl.mode", "null"),
    ("DB_POSTGRES_SSL_CA", "database.postgres.ssl.caPath", "null"),
];

/// Fields of an app that no variable sets; left out, the server-wide limit counts.
const APP_LIMITS: &[&str] = &[
    "maxPresenceMembersPerChannel",
    "maxPresenceMemberSizeInKb",
    "maxChannelNameLength",
    "maxEventChannelsAtOnce",
    "maxEventNameLength",
    "maxEventPayloadInKb",
    "maxEventBatchSize",
];

fn find(key: &str) -> &'static OptionSpec {
    options::all().find(|spec| spec.key == key).unwrap_or_else(|| panic!("no option {key}"))
}

fn parsed(default: &str) -> Value {
    serde_json::from_str(default).unwrap()
}

#[test]
fn every_option_of_soketi_is_there_with_its_names_and_default() {
    for (env, key, default) in SOKETI.iter().chain(OWN) {
        let spec = find(key);
        assert_eq!(spec.env, Some(*env), "{key}");
        assert_eq!(spec.default.to_json(), parsed(default), "{key}");
    }
}

#[test]
fn cors_is_set_in_the_file_only() {
    for (key, default) in [
        ("cors.credentials", json!(true)),
        ("cors.origin", json!(["*"])),
        ("cors.methods", json!(["GET", "POST", "PUT", "DELETE", "OPTIONS"])),
        (
            "cors.allowedHeaders",
            json!([
                "Origin",
                "Content-Type",
                "X-Auth-Token",
                "X-Requested-With",
                "Accept",
                "Authorization",
                "X-CSRF-TOKEN",
                "XSRF-TOKEN",
                "X-Socket-Id"
            ]),
        ),
    ] {
        let spec = find(key);
        assert_eq!(spec.env, None, "{key}");
        assert_eq!(spec.default.to_json(), default, "{key}");
    }
}

#[test]
fn an_app_has_its_optional_limits() {
    for field in APP_LIMITS {
        let spec = find(&format!("appManager.array.apps.0.{field}"));
        assert_eq!((spec.env, spec.default), (None, DefaultValue::Null), "{field}");
    }
}

#[test]
fn there_is_nothing_else() {
    let expected = SOKETI.len() + OWN.len() + APP_LIMITS.len() + 4;
    assert_eq!(options::all().count(), expected);
}

#[test]
fn names_and_keys_are_unique() {
    let keys: HashSet<&str> = options::all().map(|spec| spec.key).collect();
    assert_eq!(keys.len(), options::all().count());
    let names: HashSet<&str> = options::all().filter_map(|spec| spec.env).collect();
    assert_eq!(names.len(), options::all().filter(|spec| spec.env.is_some()).count());
}

#[test]
fn a_default_is_a_value_of_its_option() {
    for spec in options::all() {
        let s = setup().file(&json!({ spec.key: spec.default.to_json() }));
        let loaded = s.load();
        let setting = loaded.provenance.get(spec.key).unwrap();
        assert!(!setting.is_changed(), "{}: {}", spec.key, setting.shown());
        assert_eq!(setting.origin, Source::File { path: s.path() });
    }
}

#[test]
fn what_is_named_like_a_secret_is_one() {
    for spec in options::all() {
        let name = spec.key.rsplit('.').next().unwrap().to_lowercase();
        // A URL has a password in it.
        let secrets =
            ["pass", "password", "passphrase", "secret", "token", "sentinelpassword", "url"];
        let named = secrets.contains(&name.as_str());
        assert_eq!(spec.secret, named, "{}", spec.key);
    }
}

//! Adapters, stores, queues and the databases behind them.

use std::path::PathBuf;

use super::MB;
use super::values::Values;
use crate::model::{
    Adapter, AppManager, Cache, Cluster, Database, DatabasePooling, DynamoDb, Nats, Queue,
    RateLimiter, Redis, RedisAdapter, RedisQueue, SqlDatabase, SqlSslMode, Sqs,
};

pub(super) fn adapter(v: &Values<'_>) -> Adapter {
    Adapter {
        driver: v.choice("adapter.driver"),
        cluster_requests_timeout: v.millis("adapter.cluster.requestsTimeout"),
        redis: RedisAdapter {
            prefix: v.text("adapter.redis.prefix"),
            cluster_mode: v.bool("adapter.redis.clusterMode"),
            requests_timeout: v.millis("adapter.redis.requestsTimeout"),
            sub_options: v.object("adapter.redis.redisSubOptions"),
            pub_options: v.object("adapter.redis.redisPubOptions"),
        },
        nats: Nats {
            prefix: v.text("adapter.nats.prefix"),
            servers: v.texts("adapter.nats.servers"),
            user: v.optional_text("adapter.nats.user"),
            password: v.optional_secret("adapter.nats.pass"),
            token: v.optional_secret("adapter.nats.token"),
            ca: v.optional_text("adapter.nats.tls.caPath").map(PathBuf::from),
            timeout: v.millis("adapter.nats.timeout"),
            requests_timeout: v.millis("adapter.nats.requestsTimeout"),
        },
    }
}

pub(super) fn cluster(v: &Values<'_>) -> Cluster {
    Cluster {
        host: v.text("cluster.hostname"),
        port: v.int("cluster.port"),
        prefix: v.text("cluster.prefix"),
        ignore_process: v.bool("cluster.ignoreProcess"),
        broadcast: v.text("cluster.broadcast"),
        multicast: v.optional_text("cluster.multicast"),
        unicast: v.texts("cluster.unicast"),
        dns: v.optional_text("cluster.dns"),
        peers: v.texts("cluster.peers"),
        secret: v.optional_secret("cluster.secret"),
        tls: [
            v.optional_text("cluster.tls.certPath").map(PathBuf::from),
            v.optional_text("cluster.tls.keyPath").map(PathBuf::from),
            v.optional_text("cluster.tls.caPath").map(PathBuf::from),
        ],
        min_peers: v.int("cluster.minPeers"),
        replay_bytes: v.int::<usize>("cluster.replayInMb") * 1024 * 1024,
        replay_age: v.millis("cluster.replayTime"),
        check_interval: v.millis("cluster.checkInterval"),
        hello_interval: v.millis("cluster.helloInterval"),
        node_timeout: v.millis("cluster.nodeTimeout"),
    }
}

pub(super) fn app_manager(v: &Values<'_>) -> AppManager {
    AppManager {
        driver: v.choice("appManager.driver"),
        cache: v.bool("appManager.cache.enabled"),
        cache_ttl: v.optional_seconds("appManager.cache.ttl"),
        mysql_table: v.text("appManager.mysql.table"),
        postgres_table: v.text("appManager.postgres.table"),
        dynamodb: DynamoDb {
            table: v.text("appManager.dynamodb.table"),
            region: v.text("appManager.dynamodb.region"),
            endpoint: v.optional_text("appManager.dynamodb.endpoint"),
        },
    }
}

pub(super) fn cache(v: &Values<'_>) -> Cache {
    Cache {
        driver: v.choice("cache.driver"),
        ttl: v.optional_seconds("channelLimits.cacheTtl"),
        max_bytes: v.int::<usize>("channelLimits.cacheMaxInMb") * MB,
        redis_cluster_mode: v.bool("cache.redis.clusterMode"),
        redis_options: v.object("cache.redis.redisOptions"),
    }
}

pub(super) fn queue(v: &Values<'_>) -> Queue {
    Queue {
        driver: v.choice("queue.driver"),
        redis: RedisQueue {
            concurrency: v.int("queue.redis.concurrency"),
            max_pending_jobs: v.int("queue.redis.maxPendingJobs"),
            options: v.object("queue.redis.redisOptions"),
            cluster_mode: v.bool("queue.redis.clusterMode"),
        },
        sqs: Sqs {
            region: v.text("queue.sqs.region"),
            client_options: v.object("queue.sqs.clientOptions"),
            queue_url: v.text("queue.sqs.queueUrl"),
            endpoint: v.optional_text("queue.sqs.endpoint"),
            process_batch: v.bool("queue.sqs.processBatch"),
            batch_size: v.int("queue.sqs.batchSize"),
            polling_wait: v.millis("queue.sqs.pollingWaitTimeMs"),
        },
    }
}

pub(super) fn rate_limiter(v: &Values<'_>) -> RateLimiter {
    RateLimiter {
        driver: v.choice("rateLimiter.driver"),
        redis_options: v.object("rateLimiter.redis.redisOptions"),
        redis_cluster_mode: v.bool("rateLimiter.redis.clusterMode"),
    }
}

pub(super) fn database(v: &Values<'_>) -> Database {
    let sql = |name: &str| {
        let key = |field: &str| format!("database.{name}.{field}");
        let ssl_ca = v.optional_text(&key("ssl.caPath")).map(PathBuf::from);
        let ssl_mode = v.optional_text(&key("ssl.mode"));
        SqlDatabase {
            url: v.optional_secret(&key("url")),
            host: v.text(&key("host")),
            port: v.int(&key("port")),
            user: v.text(&key("user")),
            password: v.secret(&key("password")),
            database: v.text(&key("database")),
            // Who names an authority wants it to be asked.
            ssl_mode: match ssl_mode.and_then(|name| SqlSslMode::from_name(&name)) {
                Some(mode) => mode,
                None if ssl_ca.is_some() => SqlSslMode::VerifyFull,
                None => SqlSslMode::Prefer,
            },
            ssl_ca,
        }
    };
    Database {
        mysql: sql("mysql"),
        postgres: sql("postgres"),
        redis: Redis {
            host: v.text("database.redis.host"),
            port: v.int("database.redis.port"),
            db: v.int("database.redis.db"),
            username: v.optional_text("database.redis.username"),
            password: v.optional_secret("database.redis.password"),
            key_prefix: v.text("database.redis.keyPrefix"),
            sentinels: v.nodes("database.redis.sentinels"),
            sentinel_password: v.optional_secret("database.redis.sentinelPassword"),
            cluster_nodes: v.nodes("database.redis.clusterNodes"),
            master_name: v.text("database.redis.name"),
            options: v.object("database.redis.options"),
        },
    }
}

pub(super) fn pooling(v: &Values<'_>) -> DatabasePooling {
    DatabasePooling {
        enabled: v.bool("databasePooling.enabled"),
        min: v.int("databasePooling.min"),
        max: v.int("databasePooling.max"),
    }
}

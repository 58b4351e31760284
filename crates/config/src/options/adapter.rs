//! How nodes reach each other.

use std::path::PathBuf;
use std::time::Duration;

use super::check::{DAY, Ignored, flag, millis, object, optional, optional_int, text, texts};
use super::row::{group, option, options};
use crate::kind::Kind;
use crate::model::{AdapterDriver, ClientOptions};
use crate::secret::Secret;

options! {
    /// How nodes reach each other.
    pub struct Adapter {
        /// How nodes reach each other.
        driver: AdapterDriver =
            option("adapter.driver", "ADAPTER_DRIVER", AdapterDriver::Local.by_default());
        /// Time-out of requests between nodes, in ms.
        cluster_requests_timeout: Ignored = option(
            "adapter.cluster.requestsTimeout",
            "ADAPTER_CLUSTER_REQUESTS_TIMEOUT",
            millis(5000, 1..=DAY).ignored("nodes do not ask each other anything on a request"),
        );
        /// The Redis adapter.
        redis: RedisAdapter = group::<RedisAdapter>();
        /// The NATS adapter.
        nats: Nats = group::<Nats>();
    }
}

options! {
    /// The Redis adapter.
    pub struct RedisAdapter {
        /// Prefix of every Redis channel, so that two deployments can share one Redis.
        prefix: String =
            option("adapter.redis.prefix", "ADAPTER_REDIS_PREFIX", text(Kind::Text, ""));
        /// Redis Cluster through `database.redis.clusterNodes`.
        cluster_mode: bool =
            option("adapter.redis.clusterMode", "ADAPTER_REDIS_CLUSTER_MODE", flag(false));
        /// Time-out of requests between nodes, in ms.
        requests_timeout: Ignored = option(
            "adapter.redis.requestsTimeout",
            "ADAPTER_REDIS_REQUESTS_TIMEOUT",
            millis(5000, 1..=DAY).ignored("nodes do not ask each other anything on a request"),
        );
        /// Connection options laid over `database.redis` for the subscribing connection.
        sub_options: ClientOptions =
            option("adapter.redis.redisSubOptions", "ADAPTER_REDIS_SUB_OPTIONS", object());
        /// Likewise for the publishing connection.
        pub_options: ClientOptions =
            option("adapter.redis.redisPubOptions", "ADAPTER_REDIS_PUB_OPTIONS", object());
    }
}

options! {
    /// The NATS adapter.
    pub struct Nats {
        /// Prefix of every subject.
        prefix: String = option("adapter.nats.prefix", "ADAPTER_NATS_PREFIX", text(Kind::Text, ""));
        /// Servers to connect to.
        servers: Vec<String> =
            option("adapter.nats.servers", "ADAPTER_NATS_SERVERS", texts(&["127.0.0.1:4222"]));
        /// User.
        user: Option<String> =
            option("adapter.nats.user", "ADAPTER_NATS_USER", optional(Kind::Text));
        /// Password.
        password: Option<Secret> =
            option("adapter.nats.pass", "ADAPTER_NATS_PASSWORD", optional(Kind::Text));
        /// Token.
        token: Option<Secret> =
            option("adapter.nats.token", "ADAPTER_NATS_TOKEN", optional(Kind::Text));
        /// The authority that has signed the certificates of `tls://` servers, instead of those
        /// that this system believes.
        ca: Option<PathBuf> =
            option("adapter.nats.tls.caPath", "ADAPTER_NATS_TLS_CA", optional(Kind::NonEmpty));
        /// Time-out of a connection attempt, in ms.
        timeout: Duration =
            option("adapter.nats.timeout", "ADAPTER_NATS_TIMEOUT", millis(10_000, 1..=DAY));
        /// Time-out of requests between nodes, in ms.
        requests_timeout: Ignored = option(
            "adapter.nats.requestsTimeout",
            "ADAPTER_NATS_REQUESTS_TIMEOUT",
            millis(5000, 1..=DAY).ignored("nodes do not ask each other anything on a request"),
        );
        /// Accepted without effect.
        nodes_number: Ignored = option(
            "adapter.nats.nodesNumber",
            "ADAPTER_NATS_NODES_NUMBER",
            optional_int(0..=1_000_000).ignored("the number of nodes is known, not guessed"),
        );
    }
}

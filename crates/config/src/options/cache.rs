//! What is kept and counted for the clients: cache channels and rate limits.

use std::time::Duration;

use super::check::{flag, megabytes, object, seconds_or_forever};
use super::row::{option, options};
use crate::model::{CacheDriver, ClientOptions, RateLimiterDriver};

options! {
    /// The last events of cache channels.
    pub struct Cache {
        /// Where the last event of a cache channel is kept.
        driver: CacheDriver =
            option("cache.driver", "CACHE_DRIVER", CacheDriver::Memory.by_default());
        /// For how long, in s; -1 = for ever, 0 = not at all.
        ttl: Option<Duration> = option(
            "channelLimits.cacheTtl",
            "CHANNEL_CACHE_TTL",
            seconds_or_forever(3600, 31_536_000),
        );
        /// What all kept events of this node may take, in MB.
        max_bytes: usize = option(
            "channelLimits.cacheMaxInMb",
            "CHANNEL_CACHE_MAX_MB",
            megabytes(64, 1..=1_048_576),
        );
        /// Redis Cluster through `database.redis.clusterNodes`.
        redis_cluster_mode: bool =
            option("cache.redis.clusterMode", "CACHE_REDIS_CLUSTER_MODE", flag(false));
        /// Connection options laid over `database.redis`.
        redis_options: ClientOptions =
            option("cache.redis.redisOptions", "CACHE_REDIS_OPTIONS", object());
    }
}

options! {
    /// Who counts towards rate limits.
    pub struct RateLimiter {
        /// Who counts towards rate limits.
        driver: RateLimiterDriver = option(
            "rateLimiter.driver",
            "RATE_LIMITER_DRIVER",
            RateLimiterDriver::Local.by_default(),
        );
        /// Connection options laid over `database.redis`.
        redis_options: ClientOptions =
            option("rateLimiter.redis.redisOptions", "RATE_LIMITER_REDIS_OPTIONS", object());
        /// Redis Cluster through `database.redis.clusterNodes`.
        redis_cluster_mode: bool =
            option("rateLimiter.redis.clusterMode", "RATE_LIMITER_REDIS_CLUSTER_MODE", flag(false));
    }
}

//! What a Redis bus is told.

use std::time::Duration;

use redis_client::{OptionError, RedisOptions};

/// Which Redis, and what is ours in it.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Comes before the names of all channels; separates clusters on the same Redis.
    pub prefix: String,
    /// How to connect for subscribing.
    pub subscribe: RedisOptions,
    /// How to connect for publishing.
    pub publish: RedisOptions,
    /// A connection on which nothing comes for this long is dead. Shorter than the time after which
    /// a node is, so that it is not the others who seem to be.
    pub silence: Duration,
}

impl RedisConfig {
    /// One Redis for both, without a prefix.
    pub fn new(options: RedisOptions) -> RedisConfig {
        RedisConfig {
            prefix: String::new(),
            subscribe: options.clone(),
            publish: options,
            silence: Duration::from_millis(1500),
        }
    }

    pub(super) fn check(&self) -> Result<(), OptionError> {
        self.subscribe.check()?;
        self.publish.check()
    }
}

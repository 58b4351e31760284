//! A Redis of its own for each cluster.

use crate::support::broker::Broker;

/// Whether rate limits can be kept in it.
pub const HAS_REDIS: bool = true;

pub struct Adapter(Broker);

impl Adapter {
    pub fn new() -> Self {
        Adapter(Broker::redis())
    }

    pub fn env(&self) -> Vec<(String, String)> {
        let port = self.0.port().to_string();
        [("ADAPTER_DRIVER", "redis"), ("DB_REDIS_PORT", &port), ("ADAPTER_REDIS_PREFIX", "test:")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

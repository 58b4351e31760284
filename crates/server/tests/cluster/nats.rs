//! A NATS server of its own for each cluster.

use crate::support::broker::Broker;

/// Whether rate limits can be kept in it.
pub const HAS_REDIS: bool = false;

pub struct Adapter(Broker);

impl Adapter {
    pub fn new() -> Self {
        Adapter(Broker::nats())
    }

    pub fn env(&self) -> Vec<(String, String)> {
        let servers = format!(r#"["127.0.0.1:{}"]"#, self.0.port());
        [("ADAPTER_DRIVER", "nats"), ("ADAPTER_NATS_SERVERS", &servers)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

//! What a broker transport is told, besides the broker itself.

use std::time::Duration;

/// How a node takes part. How patient it is says [`Settings`](crate::Settings) of its driver.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// What operators call this node; at most 255 bytes of it are told.
    pub name: String,
    /// How often a hello is sent. At least every quarter of
    /// [`node_timeout`](crate::Settings::node_timeout) there is one, whatever is configured here,
    /// because hellos that do not come back tell that the way to the broker is down.
    pub hello_interval: Duration,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        BrokerConfig { name: String::new(), hello_interval: Duration::from_millis(500) }
    }
}

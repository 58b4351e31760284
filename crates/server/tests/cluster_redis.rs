//! The tests of `cluster.rs`, with the nodes joined through Redis.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![allow(unreachable_pub, reason = "each test binary has its own copy of this")]

mod scenarios;
mod support;

/// A Redis of its own for each cluster.
mod adapter {
    use testkit::broker::Broker;

    /// Whether rate limits can be kept in it.
    pub const HAS_REDIS: bool = true;

    pub struct Adapter(Broker);

    impl Adapter {
        pub fn new() -> Self {
            Adapter(Broker::redis())
        }

        pub fn env(&self) -> Vec<(String, String)> {
            let port = self.0.port.to_string();
            [
                ("ADAPTER_DRIVER", "redis"),
                ("DB_REDIS_PORT", &port),
                ("ADAPTER_REDIS_PREFIX", "test:"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
        }
    }
}

//! The tests of `cluster.rs`, with the nodes joined through NATS.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![allow(unreachable_pub, reason = "each test binary has its own copy of this")]

mod scenarios;
mod support;

/// A NATS server of its own for each cluster.
mod adapter {
    use testkit::broker::Broker;

    /// Whether rate limits can be kept in it.
    pub const HAS_REDIS: bool = false;

    pub struct Adapter(Broker);

    impl Adapter {
        pub fn new() -> Self {
            Adapter(Broker::nats())
        }

        pub fn env(&self) -> Vec<(String, String)> {
            let servers = format!(r#"["127.0.0.1:{}"]"#, self.0.port);
            [("ADAPTER_DRIVER", "nats"), ("ADAPTER_NATS_SERVERS", &servers)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        }
    }
}

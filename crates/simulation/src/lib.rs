//! Whole clusters on a simulated network: each node is the channels, the cluster's state machine and
//! the announcer as the server joins them, with a seeded schedule instead of time and sockets.
//!
//! Besides what the channels have instead of the outside world there is nothing but tests here. They
//! own the network, the clock, the clients and a ledger of what really happened, and they decide
//! nothing. They must not know sockets, threads or the clock.

mod runtime;

pub use runtime::{APP, Clock, INTERESTS, RATE, RequestNumber, SHARDS, SimRuntime};

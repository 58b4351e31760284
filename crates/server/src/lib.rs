//! The server: sockets and stores around the channels, the protocol and the WebSocket codec. It
//! must not know the command line.
//!
//! An event's way: `http` (or `session`, for a client event) validates it, `frames` encodes it
//! once, the `channels` crate finds who is interested, each shard's `inbox` carries it, `hub::turn`
//! appends it to every subscriber, `hub::outbox` writes.
//!
//! The modules stand on floors, in the order in which they are declared here: each needs only what is
//! below it.

// Start and stop: everything is put together and begins to run.
mod running;
mod start_error;

mod background;
mod drain;
mod reload;

// What answers requests about the whole node, and with it.
mod metrics;

mod http;

// The node: what its threads share, put together.
mod node;

// Serving connections.
mod session;

mod hub;

// Each does one thing for the node's channels or connections, and knows nothing of the others.
mod cache;
mod peers;
mod seats;
mod webhooks;

// The node as its channels see it, and sockets.
mod net;
mod outside;

// Leaves.
mod apps;
mod backlog;
mod changed_files;
mod frames;
mod inbox;
mod limits;
mod readiness;
mod shared_cache;
mod stats;
mod task_thread;

#[cfg(test)]
mod bugs;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

pub use net::TlsError;
pub use peers::JoinError;
pub use reload::Reload;
pub use running::{Running, run, start, start_with_store};
pub use start_error::StartError;
pub use webhooks::OpenError as WebhooksError;

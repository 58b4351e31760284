//! The server: sockets and stores around the registry, the protocol and the WebSocket codec. It
//! must not know the command line.
//!
//! An event's way: `http` (or `session`, for a client event) validates it, `frames` encodes it
//! once, the `channels` crate finds who is interested, each shard's `hub::inbox` carries it, `hub::turn`
//! appends it to every subscriber, `hub::outbox` writes.

mod apps;
mod background;
#[cfg(test)]
mod bugs;
mod cache;
mod frames;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod http;
mod hub;
mod lifecycle;
mod limits;
mod metrics;
mod net;
mod node;
mod outside;
mod peers;
mod reload;
mod running;
mod seats;
mod session;
mod start_error;
mod task_thread;
mod webhooks;

pub use reload::Reload;
pub use running::{Running, run, start, start_with_store};
pub use start_error::StartError;

//! The server: sockets and stores around the registry, the protocol and the WebSocket codec. It
//! must not know the command line.
//!
//! An event's way: `http` (or `session`, for a client event) validates it, `frames` encodes it
//! once, the `channels` crate finds who is interested, each shard's `hub::inbox` carries it, `hub::turn`
//! appends it to every subscriber, `hub::outbox` writes.

mod apps;
mod background;
mod backlog;
#[cfg(test)]
mod bugs;
mod cache;
mod changed_files;
mod frames;
mod http;
mod hub;
mod inbox;
mod lifecycle;
mod limits;
mod metrics;
mod net;
mod node;
mod outside;
mod peers;
mod readiness;
mod reload;
mod running;
mod seats;
mod session;
mod shared_cache;
mod start_error;
mod stats;
mod task_thread;
mod webhooks;

pub use net::TlsError;
pub use peers::JoinError;
pub use reload::Reload;
pub use running::{Running, run, start, start_with_store};
pub use start_error::StartError;
pub use webhooks::OpenError as WebhooksError;

//! The Pusher Channels protocol as pure functions over bytes and text.
//!
//! Channel and event names, frames in and out, signatures, HTTP API bodies and webhook signatures.
//! It must not know sockets, clocks, randomness, threads or any store: time, limits and secrets are
//! arguments, and every function may be called on arbitrary input without panicking.
//!
//! Rule ids in the documentation (W22, H14, K1 ..) are those of `docs/protocol.md`; W is
//! the WebSocket protocol, H the HTTP API, K webhooks.

pub mod api;
pub mod auth;
pub mod channel;
pub mod client_message;
mod clip;
pub mod close;
pub mod data;
pub mod event_name;
pub mod hex;
pub mod json;
pub mod member;
pub mod server_message;
pub mod socket_id;
pub mod version;
pub mod webhook;

pub use channel::{Class, InvalidChannel, Kind};
pub use client_message::{ClientMessage, Rejection};
pub use close::Close;
pub use data::{Data, InvalidData};
pub use member::{Member, User};
pub use socket_id::SocketId;

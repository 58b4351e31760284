//! Connections to Redis as the options say: which server, how to get in, and over which transport.
//! It must not know what the connections are used for.
//!
//! ```text
//!   options, overlay    what is configured, in the spelling of ioredis
//!   configured          the same out of the server's configuration
//!   tls, stream         a socket, encrypted or not
//!   reply, wire         one connection with nothing on top: commands in, replies out, in order
//!   sentinel, slots     which server it has to be: the present master, the master of a slot
//!   commands            a connection for commands, of the `redis` crate
//!   client              the same, made again whenever it is lost
//! ```
//!
//! **Two kinds of connections.** A [`Client`] uses what the `redis` crate offers, for whoever sends
//! commands and wants their answers. A [`Wire`] is for a stream that its owner
//! reads as fast as it likes: whoever does not read holds the server back, so nothing piles up in
//! this process, which no connection of the crate's allows. It speaks RESP2, as every server does.
//!
//! A [`Client`] connects again by itself. Nothing else does: who reads a stream knows what is lost with
//! it.

mod address;
mod client;
mod commands;
mod configured;
mod error;
mod first;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod masked;
mod options;
mod overlay;
mod reply;
mod sentinel;
mod slots;
mod stream;
mod tls;
mod wire;

pub use self::tls::{Pem, TlsOptions};
pub use address::Address;
pub use client::{CallError, Client, ConnectionChange};
pub use commands::{Commands, is_away};
pub use error::{ConnectError, OptionError};
pub use options::{RedisOptions, Sentinels, Topology};
pub use overlay::has_no_effect;
pub use reply::Reply;
pub use slots::{Slots, slot_of};
pub use wire::{Incoming, Outgoing, Wire, WireError};

//! The HTTP side of the main port: the REST API, the health pages, and handshakes, whose sockets
//! are handed over to the shard. It must not know how frames reach their subscribers.
//!
//! A request: `connection` (one socket) -> `route` (which page) -> `api` (whose app, is it signed)
//! -> `publish`, `channels`, `users`; `answer` shapes what goes back. A handshake: `connection` ->
//! `upgrade`.

mod answer;
mod api;
mod channels;
mod connection;
mod cors;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod health;
mod publish;
mod replay;
mod route;
mod spending;
mod upgrade;
mod users;

pub(crate) use answer::{Answer, text};
pub(crate) use connection::listen;
pub(crate) use health::{memory, unready};

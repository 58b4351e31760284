//! Sockets: listening, accepting, TLS, and who the client behind a proxy is. It must not know what
//! is said over them, beyond telling TLS from HTTP.

mod acceptor;
mod client_address;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod opening;
mod proxy_protocol;
mod tls;
mod transport;

pub use self::tls::TlsError;
pub(crate) use self::tls::{Tls, read_identity, read_roots};
pub(crate) use acceptor::{Accepted, Bound, accept, bind};
pub(crate) use client_address::client_address;
pub(crate) use opening::{ClientStream, open};
pub(crate) use transport::Transport;

//! Sockets: listening, accepting, TLS, and who the client behind a proxy is. It must not know what
//! is said over them.

mod acceptor;
mod client_address;
mod opening;
mod private_key;
mod proxy_protocol;
mod tls;
mod transport;

pub(crate) use acceptor::{Accepted, Bound, accept, bind};
pub(crate) use client_address::client_address;
pub(crate) use opening::{ClientStream, open};
pub(crate) use tls::{Tls, TlsError, read_certificates, read_private_key};
pub(crate) use transport::Transport;

//! Sockets: listening, accepting, TLS, and who the client behind a proxy is. It must not know what
//! is said over them.

mod acceptor;
mod opening;
mod transport;

pub(crate) use acceptor::{Accepted, accept, bind};
pub(crate) use opening::{ClientStream, open};
pub(crate) use transport::Transport;

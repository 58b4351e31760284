//! Why a server could not start: each names the option, and what would be right. What each part of it
//! can fail at, the part says itself.

use std::io;

use redis_client::OptionError;

use crate::net::TlsError;
use crate::peers::JoinError;
use crate::webhooks;

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listening socket could not be opened.
    #[error("cannot listen on {host}:{port} ({option}): {error}")]
    Listen {
        /// The host that was asked for.
        host: String,
        /// The port that was asked for.
        port: u16,
        /// The option that says so.
        option: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The certificate or key could not be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The cluster cannot be joined.
    #[error(transparent)]
    Cluster(#[from] JoinError),
    /// Redis cannot be used with these options.
    #[error("database.redis and what is laid over it: {0}")]
    Redis(#[from] OptionError),
    /// The store of apps cannot be used with these options.
    #[error(transparent)]
    Apps(#[from] app_stores::OpenError),
    /// Webhooks cannot be sent with these options.
    #[error(transparent)]
    Webhooks(#[from] webhooks::OpenError),
    /// A thread or runtime could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

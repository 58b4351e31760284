//! Why a server could not start: each names the option, and what would be right.

use std::io;
use std::path::PathBuf;

use redis_client::OptionError;

use crate::net::TlsError;

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
    #[error("{path}: {reason}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The cluster cannot be joined.
    #[error(transparent)]
    Cluster(#[from] cluster::mesh::MeshError),
    /// Redis cannot be used with these options.
    #[error("database.redis and what is laid over it: {0}")]
    Redis(#[from] OptionError),
    /// The store of apps cannot be used with these options.
    #[error(transparent)]
    Apps(#[from] app_stores::OpenError),
    /// NATS cannot be used with these options.
    #[error("adapter.nats: {0}")]
    Nats(#[from] cluster::nats::NatsError),
    /// Links cannot be encrypted with what is configured.
    #[error(
        "cluster.tls: set certPath, keyPath and caPath, or none of them (CLUSTER_TLS_CERT, \
         CLUSTER_TLS_KEY, CLUSTER_TLS_CA)"
    )]
    ClusterTls,
    /// The multicast group is no address.
    #[error("cluster.multicast = {0:?}: must be an IP address such as 239.0.0.42")]
    Multicast(String),
    /// The queue cannot be used with these options.
    #[error(transparent)]
    Queue(#[from] queues::OpenError),
    /// Webhooks cannot be sent with these options.
    #[error(transparent)]
    Webhooks(#[from] webhooks::SettingsError),
    /// A thread or runtime could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

impl From<TlsError> for StartError {
    fn from(TlsError { path, reason }: TlsError) -> Self {
        StartError::Tls { path, reason }
    }
}

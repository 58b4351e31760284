//! Why the cluster cannot be joined as configured.

use std::io;

use cluster::mesh::MeshError;
use cluster::nats::NatsError;
use redis_client::OptionError;

use crate::net::TlsError;

/// Why this node cannot join its cluster: each names the option, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The nodes' own network cannot be used.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// Redis cannot be used with these options.
    #[error("database.redis and what is laid over it: {0}")]
    Redis(#[from] OptionError),
    /// NATS cannot be used with these options.
    #[error("adapter.nats: {0}")]
    Nats(#[from] NatsError),
    /// The multicast group is no address.
    #[error("cluster.multicast = {0:?}: must be an IP address such as 239.0.0.42")]
    Multicast(String),
    /// Links cannot be encrypted: only some of the files are configured.
    #[error(
        "cluster.tls: set certPath, keyPath and caPath, or none of them (CLUSTER_TLS_CERT, \
         CLUSTER_TLS_KEY, CLUSTER_TLS_CA)"
    )]
    SomeTlsFiles,
    /// Links cannot be encrypted with what is in the files.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The thread of the cluster could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

//! What a mesh can be told, and why it may not start.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::tls::MeshTls;

/// How a node takes part in a mesh. The default values are those of the options.
#[derive(Clone, Debug)]
pub struct MeshConfig {
    /// The address to listen on, both UDP and TCP: an IP address, or a name that has one.
    ///
    /// Nodes whose `host`, `port` or `prefix` differ, as they are written, are different clusters.
    pub host: String,
    /// The port for hellos, shared with other processes of this host, and for TCP. Where another
    /// process has the TCP port, the system chooses another one, and the hello says which.
    pub port: u16,
    /// Separates clusters on the same host and port.
    pub prefix: String,
    /// All nodes of a cluster have the same secret, or none. Should be long and random: whoever is
    /// dialled can try at leisure which secret fits what the dialler has proved.
    pub secret: Option<Vec<u8>>,
    /// What operators call this node; at most 255 bytes of it are told.
    pub name: String,
    /// Whom hellos are sent to.
    pub discovery: Discovery,
    /// How often a hello is sent.
    pub hello_interval: Duration,
    /// A DNS name whose addresses are all dialled, `name` or `name:port`; resolved again every
    /// few seconds.
    pub dns: Option<String>,
    /// Nodes that are dialled, each `host` or `host:port`.
    pub peers: Vec<String>,
    /// Encrypts all connections; the same for all nodes.
    pub tls: Option<MeshTls>,
}

impl Default for MeshConfig {
    fn default() -> Self {
        MeshConfig {
            host: "0.0.0.0".into(),
            port: 11002,
            prefix: String::new(),
            secret: None,
            name: String::new(),
            discovery: Discovery::Broadcast("255.255.255.255".into()),
            hello_interval: Duration::from_millis(500),
            dns: None,
            peers: Vec::new(),
            tls: None,
        }
    }
}

impl MeshConfig {
    /// Finds what is wrong before any port is opened.
    pub(super) fn check(&self) -> Result<(), MeshError> {
        match &self.discovery {
            Discovery::Broadcast(address) if address.parse::<Ipv4Addr>().is_err() => {
                Err(MeshError::Broadcast(address.clone()))
            }
            Discovery::Multicast(group) if !group.is_multicast() => {
                Err(MeshError::Multicast(*group))
            }
            _ => Ok(()),
        }
    }
}

/// Whom hellos are sent to. Except for [`Off`](Self::Off) they always go to all processes of this
/// host, too, even if loopback is its only network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// To a broadcast address: all hosts of a network.
    Broadcast(String),
    /// To a multicast group, which is joined on every network.
    Multicast(IpAddr),
    /// To these, each `host` or `host:port`.
    Unicast(Vec<String>),
    /// To nobody, and no UDP port is opened: nodes are found by `dns` and `peers` only.
    Off,
}

/// Why a mesh does not start.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// The host to listen on is no address, and no name of one.
    #[error("cluster host {host:?}: {error}; it must be an address of this host")]
    Host {
        /// What was configured.
        host: String,
        /// What the system says.
        error: io::Error,
    },
    /// The broadcast address is none.
    #[error("cluster broadcast address {0:?}, it must be an IPv4 address such as 255.255.255.255")]
    Broadcast(String),
    /// The multicast address is none.
    #[error("cluster multicast address {0}, it must be in 224.0.0.0/4 or ff00::/8")]
    Multicast(IpAddr),
    /// The port cannot be opened.
    #[error("cluster {protocol} {address}: {error}")]
    Bind {
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// What was to be opened.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
}

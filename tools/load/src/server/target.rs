//! The server under test as a client sees it: its addresses and its app. It must not know what is
//! measured.

use crate::sign::Signer;
use anyhow::{Context, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

/// Connections that share a loopback source address. There are usually 28,000 ephemeral ports;
/// connect(2) takes those of one parity first, and is slow to find one of the other.
const PER_SOURCE: usize = 10_000;

/// The app that clients connect to and publish to.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct TargetApp {
    /// App id
    #[arg(long = "app-id", value_name = "APP_ID", default_value = "app-id")]
    pub(crate) id: String,
    /// App key
    #[arg(long = "app-key", value_name = "APP_KEY", default_value = "app-key")]
    pub(crate) key: String,
    /// App secret
    #[arg(long = "app-secret", value_name = "APP_SECRET", default_value = "app-secret")]
    pub(crate) secret: String,
}

/// One address of the server under test.
#[derive(Clone)]
pub(crate) struct TargetNode {
    /// Where to connect.
    pub(crate) address: SocketAddr,
    /// The `Host` header.
    pub(crate) host: String,
    /// The request target of the WebSocket upgrade.
    pub(crate) upgrade_path: String,
    /// Signs publishes to this node.
    pub(crate) signer: Signer,
}

/// Everything a scenario needs to reach the server.
#[derive(Clone)]
pub(crate) struct LoadTarget {
    nodes: Vec<TargetNode>,
    /// Publishers have the first node to themselves.
    apart: bool,
}

impl LoadTarget {
    /// The nodes at `urls` (host:port[/prefix]), which serve `app`. Errors: a URL is no address.
    pub(crate) fn new(urls: &[String], app: &TargetApp) -> Result<Self> {
        let nodes = urls.iter().map(|url| TargetNode::new(url, app)).collect::<Result<_>>()?;
        Ok(Self { nodes, apart: false })
    }

    /// Publishers go to the first node, everybody else to the others, if there are any.
    pub(crate) fn apart(&self) -> Self {
        Self { nodes: self.nodes.clone(), apart: self.nodes.len() > 1 }
    }

    /// The node that the `index`th WebSocket connection goes to.
    pub(crate) fn node(&self, index: usize) -> &TargetNode {
        let nodes = &self.nodes[usize::from(self.apart)..];
        &nodes[index % nodes.len()]
    }

    /// The node that the `index`th publisher's connection goes to.
    pub(crate) fn publishing(&self, index: usize) -> &TargetNode {
        if self.apart { &self.nodes[0] } else { self.node(index) }
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
}

impl TargetNode {
    fn new(url: &str, app: &TargetApp) -> Result<Self> {
        let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (host, prefix) = bare.split_at(bare.find('/').unwrap_or(bare.len()));
        let prefix = prefix.trim_end_matches('/');
        let address = host
            .to_socket_addrs()
            .with_context(|| format!("{url:?} is not an address: use host:port[/prefix]"))?
            .next()
            .with_context(|| format!("{host:?} resolves to no address"))?;
        Ok(Self {
            address,
            host: host.to_owned(),
            upgrade_path: format!("{prefix}/app/{}?protocol=7&client=load&version=1.0", app.key),
            signer: Signer::new(format!("{prefix}/apps/{}/events", app.id), &app.key, &app.secret)?,
        })
    }

    /// The source address for the `index`th connection: loopback has 2^24 addresses, each with
    /// ephemeral ports of its own. `None` leaves the choice to the kernel.
    pub(crate) fn source(&self, index: usize) -> Option<IpAddr> {
        let block = u8::try_from(index / PER_SOURCE % 200).unwrap_or(0);
        (self.address.is_ipv4() && self.address.ip().is_loopback() && block > 0)
            .then(|| Ipv4Addr::new(127, 0, 0, 1 + block).into())
    }
}

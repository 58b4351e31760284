//! The server under test as the command line names it: its addresses, its app, and how its CPU
//! and memory are found. It must not know what is measured.

use crate::process::Server;
use crate::sign::Signer;
use anyhow::{Context, Result, bail};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::process::Command;

/// Connections that share a loopback source address. There are usually 28,000 ephemeral ports;
/// connect(2) takes those of one parity first, and is slow to find one of the other.
const PER_SOURCE: usize = 10_000;

/// The options every scenario has.
#[derive(clap::Args, Clone)]
#[group(id = "server under test")]
pub(crate) struct Options {
    /// Where the server listens: host:port[/prefix], several separated by commas (connections
    /// are spread over them)
    #[arg(long = "url", value_delimiter = ',', default_value = "127.0.0.1:6001")]
    pub(crate) urls: Vec<String>,
    /// App id
    #[arg(long, default_value = "app-id")]
    pub(crate) app_id: String,
    /// App key
    #[arg(long, default_value = "app-key")]
    pub(crate) app_key: String,
    /// App secret
    #[arg(long, default_value = "app-secret")]
    pub(crate) app_secret: String,
    /// Process whose CPU and memory are reported (repeatable, added up)
    #[arg(long = "pid")]
    pub(crate) pids: Vec<u32>,
    /// Start this shell command as the server, with PORT in its environment, and end it
    /// afterwards; replaces --url and --pid
    #[arg(long, conflicts_with_all = ["urls", "pids"])]
    pub(crate) spawn: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// One address of the server under test.
pub(crate) struct Node {
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
pub(crate) struct Target {
    nodes: Vec<Node>,
    /// Publishers have the first node to themselves.
    apart: bool,
}

impl Options {
    /// Starts the server if asked to, and resolves where it is.
    pub(crate) fn prepare(&self) -> Result<(Target, Server)> {
        let Some(command) = &self.spawn else {
            return Ok((self.target(&self.urls)?, Server::watch(self.pids.clone())));
        };
        let port = free_port()?;
        let server = Server::start(shell(command), port)?;
        Ok((self.target(&[format!("127.0.0.1:{port}")])?, server))
    }

    /// The target at `urls` with this app's credentials.
    pub(crate) fn target(&self, urls: &[String]) -> Result<Target> {
        let nodes = urls.iter().map(|url| self.node(url)).collect::<Result<_>>()?;
        Ok(Target { nodes, apart: false })
    }

    fn node(&self, url: &str) -> Result<Node> {
        let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (host, prefix) = bare.split_at(bare.find('/').unwrap_or(bare.len()));
        let prefix = prefix.trim_end_matches('/');
        let address = host
            .to_socket_addrs()
            .with_context(|| format!("{url:?} is not an address: use host:port[/prefix]"))?
            .next()
            .with_context(|| format!("{host:?} resolves to no address"))?;
        let path = format!("{prefix}/apps/{}/events", self.app_id);
        Ok(Node {
            address,
            host: host.to_owned(),
            upgrade_path: format!(
                "{prefix}/app/{}?protocol=7&client=load&version=1.0",
                self.app_key
            ),
            signer: Signer::new(path, &self.app_key, &self.app_secret)?,
        })
    }
}

impl Target {
    /// Publishers go to the first node, everybody else to the others, if there are any.
    pub(crate) fn apart(mut self) -> Self {
        self.apart = self.nodes.len() > 1;
        self
    }

    /// The node that the `index`th WebSocket connection goes to.
    pub(crate) fn node(&self, index: usize) -> &Node {
        let nodes = &self.nodes[usize::from(self.apart)..];
        &nodes[index % nodes.len()]
    }

    /// The node that the `index`th publisher's connection goes to.
    pub(crate) fn publishing(&self, index: usize) -> &Node {
        if self.apart { &self.nodes[0] } else { self.node(index) }
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
}

impl Node {
    /// The source address for the `index`th connection: loopback has 2^24 addresses, each with
    /// ephemeral ports of its own. `None` leaves the choice to the kernel.
    pub(crate) fn source(&self, index: usize) -> Option<IpAddr> {
        let block = u8::try_from(index / PER_SOURCE % 200).unwrap_or(0);
        (self.address.is_ipv4() && self.address.ip().is_loopback() && block > 0)
            .then(|| Ipv4Addr::new(127, 0, 0, 1 + block).into())
    }
}

/// A port that is free on all addresses.
pub(crate) fn free_port() -> Result<u16> {
    Ok(free_ports(1)?[0])
}

/// As many ports that are free on all addresses, for TCP and UDP. They lie below the ports that the
/// system gives to clients: a closed connection of ours would keep one of those from being listened
/// on.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>> {
    const FIRST: u16 = 10_000;
    const LAST: u16 = 30_000;
    let start = FIRST + (std::process::id() % u32::from(LAST - FIRST)) as u16;
    let is_free = |port: &u16| {
        TcpListener::bind(("0.0.0.0", *port)).is_ok() && UdpSocket::bind(("0.0.0.0", *port)).is_ok()
    };
    let ports: Vec<u16> = (start..LAST).chain(FIRST..start).filter(is_free).take(count).collect();
    if ports.len() < count {
        bail!("no {count} ports between {FIRST} and {LAST} are free");
    }
    Ok(ports)
}

/// `command` run by the shell, which is replaced by it so that the pid is the server's.
pub(crate) fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {command}")]);
    shell
}

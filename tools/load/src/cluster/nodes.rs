//! The nodes of one setup: their environment, their start, and waiting until they know each other.

use super::Options;
use super::broker::Broker;
use super::setup::{Adapter, Setup};
use crate::process::Server;
use crate::target::{self, Target, free_ports, shell};
use anyhow::{Result, bail};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

/// How long nodes may take to know each other.
const PATIENCE: Duration = Duration::from_secs(10);

/// Id, key and secret of their app.
const APP: (&str, &str, &str) = ("app-id", "app-key", "load-secret");

/// Running nodes; they end before their broker does.
pub(super) struct Nodes {
    /// Their processes, as one.
    pub(super) server: Server,
    reach: target::Options,
    _broker: Broker,
}

impl Nodes {
    /// Starts them and waits until each is linked to all others.
    pub(super) fn start(options: &Options, setup: Setup) -> Result<Self> {
        let broker = Broker::start(setup.adapter)?;
        let ports = free_ports(2 * setup.nodes + 1)?;
        let (own, ports) = (ports[0], &ports[1..]);
        let mut commands = Vec::new();
        for pair in ports.chunks_exact(2) {
            let mut command = shell(&options.server);
            command.envs(environment(setup.adapter, broker.port, own));
            command.envs([("HOST", "127.0.0.1"), ("METRICS_HOST", "127.0.0.1")]);
            command.env("METRICS_ENABLED", (setup.nodes > 1).to_string());
            command.env("METRICS_SERVER_PORT", pair[1].to_string());
            if setup.single {
                command.env("SHARDS", "1");
            }
            commands.push((command, pair[0]));
        }
        let local = |port: &u16| SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
        let metrics = ports.iter().skip(1).step_by(2).map(local);
        let metrics = if setup.nodes > 1 { metrics.collect() } else { Vec::new() };
        let server = Server::start_all(commands)?.with_metrics(metrics);
        let urls = ports.iter().step_by(2).map(|port| local(port).to_string()).collect();
        let reach = target::Options {
            urls,
            app_id: APP.0.to_owned(),
            app_key: APP.1.to_owned(),
            app_secret: APP.2.to_owned(),
            pids: Vec::new(),
            spawn: None,
            json: false,
        };
        let this = Self { server, reach, _broker: broker };
        this.await_joined(setup.nodes)?;
        Ok(this)
    }

    /// How to reach them.
    pub(super) fn target(&self) -> Result<Target> {
        self.reach.target(&self.reach.urls)
    }

    fn await_joined(&self, nodes: usize) -> Result<()> {
        let (others, began) = ((nodes - 1) as f64, Instant::now());
        // A metrics server may begin to listen after the server proper. A node on its own has none.
        while !self.server.scrape().is_ok_and(|all| {
            all.iter().all(|one| one.labelled("cluster_peers", r#"state="ready""#) == others)
        }) {
            if began.elapsed() > PATIENCE {
                bail!("{nodes} nodes did not know each other within {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// `own` is a port that is nobody else's: of the mesh, and a name for what is shared.
fn environment(adapter: Adapter, broker: u16, own: u16) -> Vec<(&'static str, String)> {
    let mut env = vec![
        ("ADAPTER_DRIVER", adapter.name().to_owned()),
        ("DEFAULT_APP_ID", APP.0.to_owned()),
        ("DEFAULT_APP_KEY", APP.1.to_owned()),
        ("DEFAULT_APP_SECRET", APP.2.to_owned()),
    ];
    // That nodes come and go is no news here.
    if std::env::var_os("RUST_LOG").is_none() {
        env.push(("RUST_LOG", "warn".to_owned()));
    }
    match adapter {
        Adapter::Local => {}
        Adapter::Cluster => env.extend([
            ("CLUSTER_HOST", "127.0.0.1".to_owned()),
            ("CLUSTER_BROADCAST_ADDRESS", "127.255.255.255".to_owned()),
            ("CLUSTER_PORT", own.to_string()),
            ("CLUSTER_PREFIX", format!("load-{own}")),
        ]),
        Adapter::Redis => env.extend([
            ("DB_REDIS_HOST", "127.0.0.1".to_owned()),
            ("DB_REDIS_PORT", broker.to_string()),
        ]),
        Adapter::Nats => env.push(("ADAPTER_NATS_SERVERS", format!("127.0.0.1:{broker}"))),
    }
    env
}

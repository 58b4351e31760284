//! Several nodes of the server under test: their environment, their start, and waiting until they
//! know each other.

use super::broker;
use super::running::Started;
use super::setup::{Adapter, Nodes};
use crate::server::ports::free_ports;
use crate::server::process::{Server, shell};
use crate::server::target::TargetApp;
use anyhow::{Result, bail};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

/// How long nodes may take to know each other.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts them and waits until each is linked to all others.
pub(super) fn start(nodes: Nodes, command: &str, app: &TargetApp) -> Result<Started> {
    let (broker, broker_port) = broker::start(nodes.adapter)?.unzip();
    let ports = free_ports(2 * nodes.count + 1)?;
    let (own, ports) = (ports[0], &ports[1..]);
    let shared = environment(nodes.adapter, app, broker_port.unwrap_or(0), own);
    let (mut commands, mut urls, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
    for pair in ports.chunks_exact(2) {
        let (port, metrics_port) = (pair[0], pair[1]);
        let mut command = shell(command);
        command.envs(shared.clone());
        command.envs([("HOST", "127.0.0.1"), ("METRICS_HOST", "127.0.0.1")]);
        command.env("METRICS_ENABLED", (nodes.count > 1).to_string());
        command.env("METRICS_SERVER_PORT", metrics_port.to_string());
        if nodes.one_thread {
            command.env("SHARDS", "1");
        }
        commands.push((command, port));
        urls.push(format!("127.0.0.1:{port}"));
        if nodes.count > 1 {
            metrics.push(SocketAddr::from((Ipv4Addr::LOCALHOST, metrics_port)));
        }
    }
    let server = Server::start_all(commands)?.with_metrics(metrics);
    await_joined(&server, nodes.count)?;
    Ok((server, urls, broker))
}

fn await_joined(server: &Server, nodes: usize) -> Result<()> {
    let (others, began) = ((nodes - 1) as f64, Instant::now());
    // A metrics server may begin to listen after the server proper. A node on its own has none.
    while !server.scrape().is_ok_and(|all| {
        all.iter().all(|one| one.labelled("cluster_peers", r#"state="ready""#) == others)
    }) {
        if began.elapsed() > JOIN_TIMEOUT {
            bail!("{nodes} nodes did not know each other within {JOIN_TIMEOUT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// `own` is a port that is nobody else's: of the mesh, and a name for what is shared.
fn environment(
    adapter: Adapter,
    app: &TargetApp,
    broker: u16,
    own: u16,
) -> Vec<(&'static str, String)> {
    let mut env = vec![
        ("ADAPTER_DRIVER", adapter.name().to_owned()),
        ("DEFAULT_APP_ID", app.id.clone()),
        ("DEFAULT_APP_KEY", app.key.clone()),
        ("DEFAULT_APP_SECRET", app.secret.clone()),
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

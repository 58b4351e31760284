//! The server, and what it says when it is there.

use std::net::SocketAddr;

use config::{AppConfig, AppManagerDriver, Config};
use server::{Reload, Running};

use crate::output;

/// Runs the server until it is told to stop.
pub(crate) fn serve(config: Config, reload: Reload) -> anyhow::Result<()> {
    let app = match config.app_manager.driver {
        AppManagerDriver::Array => config.apps.first().cloned(),
        _ => None,
    };
    let (tls, prefix) = (config.ssl.is_some(), config.path_prefix.clone());
    server::run(config, reload, |running| {
        output::print(&greeting(running, tls, &prefix, app.as_ref()));
    })?;
    Ok(())
}

/// Where it listens, what it has, and what to try next.
fn greeting(running: &Running, tls: bool, prefix: &str, app: Option<&AppConfig>) -> String {
    let address = reachable(running.address());
    let (http, ws) = if tls { ("https", "wss") } else { ("http", "ws") };
    let (files, websockets) = running.descriptors();
    let mut text = String::new();
    let mut line = |name: &str, value: &str| text += &format!("  {name:<11}{value}\n");
    line("listening", &format!("{http}://{address}{prefix} and {ws}://{address}{prefix}"));
    if let Some(metrics) = running.metrics_address() {
        line("metrics", &format!("http://{}/metrics", reachable(metrics)));
    }
    line("shards", &format!("{}, a thread each", running.shards()));
    line("cluster", &running.cluster());
    line("apps", &running.apps());
    line("webhooks", &running.webhooks());
    line("files", &format!("limit {files}: up to {websockets} WebSockets"));
    if let Some(AppConfig { id, key, .. }) = app.filter(|_| running.serves_clients()) {
        line("app", &format!("id {id}, key {key}"));
        line("try", &format!("a client:  {ws}://{address}{prefix}/app/{key}?protocol=7"));
        line(
            "",
            &format!(
                "a backend: POST {http}://{address}{prefix}/apps/{id}/events, with a Pusher server SDK"
            ),
        );
    }
    line("health", &format!("curl {http}://{address}{prefix}/ready"));
    let state = match running.unready() {
        None => "is ready".to_owned(),
        Some(reason) => format!("runs and is not ready yet. {reason}"),
    };
    format!("dunlin {} {state}\n{text}", env!("CARGO_PKG_VERSION"))
}

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("127.0.0.1:{}", address.port()),
        _ => address.to_string(),
    }
}

//! A broker of our own, on a private port of loopback.

use super::setup::Adapter;
use crate::server::ports::free_port;
use crate::server::process::Server;
use anyhow::{Context, Result};
use std::process::Command;

/// Starts what `adapter` needs, if anything. Returns its process and its port.
pub(super) fn start(adapter: Adapter) -> Result<Option<(Server, u16)>> {
    let port = free_port()?;
    let text = port.to_string();
    let (program, arguments) = match adapter {
        Adapter::Local | Adapter::Cluster => return Ok(None),
        Adapter::Redis => (
            "redis-server",
            vec!["--bind", "127.0.0.1", "--port", &text, "--save", "", "--appendonly", "no"],
        ),
        Adapter::Nats => ("nats-server", vec!["-a", "127.0.0.1", "-p", &text, "-l", "/dev/null"]),
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let process = Server::start(command, port)
        .with_context(|| format!("{program} is needed, in the PATH"))?;
    Ok(Some((process, port)))
}

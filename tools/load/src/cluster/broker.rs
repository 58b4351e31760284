//! A broker of our own, on a private port of loopback, ended with its value.

use super::setup::Adapter;
use crate::process::Server;
use crate::target::free_port;
use anyhow::{Context, Result};
use std::process::Command;

/// A running broker, possibly none.
pub(super) struct Broker {
    _process: Option<Server>,
    /// What its port is.
    pub(super) port: u16,
}

impl Broker {
    /// Starts what `adapter` needs.
    pub(super) fn start(adapter: Adapter) -> Result<Self> {
        let port = free_port()?;
        let text = port.to_string();
        let (program, arguments) = match adapter {
            Adapter::Local | Adapter::Cluster => return Ok(Self { _process: None, port }),
            Adapter::Redis => (
                "redis-server",
                vec!["--bind", "127.0.0.1", "--port", &text, "--save", "", "--appendonly", "no"],
            ),
            Adapter::Nats => {
                ("nats-server", vec!["-a", "127.0.0.1", "-p", &text, "-l", "/dev/null"])
            }
        };
        let mut command = Command::new(program);
        command.args(arguments);
        let process = Server::start(command, port)
            .with_context(|| format!("{program} is needed, in the PATH"))?;
        Ok(Self { _process: Some(process), port })
    }
}

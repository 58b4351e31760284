//! The processes of a setup: started, and ready to be measured.

use super::nodes;
use super::setup::Setup;
use crate::server::ports::free_port;
use crate::server::process::{Server, shell};
use crate::server::target::{LoadTarget, TargetApp};
use anyhow::Result;
use std::process::Command;

/// Running processes, which end with this value; nodes do before their broker.
pub(crate) struct Running {
    /// What they are.
    pub(crate) setup: Setup,
    /// Their processes, as one.
    pub(crate) server: Server,
    /// How to reach them.
    pub(crate) target: LoadTarget,
    _broker: Option<Server>,
}

/// Started processes, where they listen, and the broker that they need.
pub(super) type Started = (Server, Vec<String>, Option<Server>);

impl Running {
    /// Starts `setup` and waits until it is ready. `command` starts the server under test.
    pub(crate) fn start(setup: Setup, command: &str, app: &TargetApp) -> Result<Self> {
        let (server, urls, broker) = match setup {
            Setup::Floor => single(|port| floor(port, &[]))?,
            Setup::CoalescingFloor => single(|port| floor(port, &["--coalesce"]))?,
            Setup::Server => single(|_| Ok(shell(command)))?,
            Setup::Nodes(nodes) => nodes::start(nodes, command, app)?,
        };
        Ok(Self { setup, server, target: LoadTarget::new(&urls, app)?, _broker: broker })
    }
}

fn single(command: impl FnOnce(u16) -> Result<Command>) -> Result<Started> {
    let port = free_port()?;
    let server = Server::start(command(port)?, port)?;
    Ok((server, vec![format!("127.0.0.1:{port}")], None))
}

fn floor(port: u16, options: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["floor", "--port", &port.to_string()]).args(options);
    Ok(command)
}

//! How the command line of a scenario names the server under test.

use super::ports::free_port;
use super::process::{Server, shell};
use super::target::{LoadTarget, TargetApp};
use anyhow::Result;

/// The server under test: where it is, or how it is started.
#[derive(clap::Args, Clone)]
#[group(id = "server under test")]
pub(crate) struct ServerOptions {
    /// Where the server listens: host:port[/prefix], several separated by commas (connections
    /// are spread over them)
    #[arg(long = "url", value_delimiter = ',', default_value = "127.0.0.1:6001")]
    urls: Vec<String>,
    #[command(flatten)]
    app: TargetApp,
    /// Process whose CPU and memory are reported (repeatable, added up)
    #[arg(long = "pid")]
    pids: Vec<u32>,
    /// Start this shell command as the server, with PORT in its environment, and end it
    /// afterwards; replaces --url and --pid
    #[arg(long, conflicts_with_all = ["urls", "pids"])]
    spawn: Option<String>,
}

impl ServerOptions {
    /// Starts the server if asked to, and resolves where it is.
    pub(crate) fn prepare(&self) -> Result<(LoadTarget, Server)> {
        let Some(command) = &self.spawn else {
            return Ok((LoadTarget::new(&self.urls, &self.app)?, Server::watch(self.pids.clone())));
        };
        let port = free_port()?;
        let server = Server::start(shell(command), port)?;
        Ok((LoadTarget::new(&[format!("127.0.0.1:{port}")], &self.app)?, server))
    }
}

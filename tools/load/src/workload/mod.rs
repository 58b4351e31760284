//! What the load generator can do to a server, one file or folder each. A workload knows the server
//! only through its sockets and /proc.

pub(crate) mod broadcast;
pub(crate) mod channels;
pub(crate) mod churn;
mod deliveries;
pub(crate) mod fanout;
pub(crate) mod idle;
mod picker;
pub(crate) mod publish;
mod publishing;
pub(crate) mod timing;

use crate::report::Report;
use crate::server;
use crate::server::process::Server;
use crate::server::target::LoadTarget;
use anyhow::Result;

/// A workload with its size, as its options give it.
pub(crate) trait Workload {
    /// Runs it against `target`, and reports what it found and what `server` took for it.
    fn run(&self, target: &LoadTarget, server: &Server) -> Result<Report>;
}

/// Options of a sub-command that runs one workload.
#[derive(clap::Args, Clone)]
pub(crate) struct WorkloadOptions<W: clap::Args> {
    #[command(flatten)]
    server: server::options::ServerOptions,
    #[command(flatten)]
    workload: W,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl<W: Workload + clap::Args> WorkloadOptions<W> {
    /// Runs the workload and prints its report.
    pub(crate) fn run(&self) -> Result<()> {
        let (target, server) = self.server.prepare()?;
        self.workload.run(&target, &server)?.print(self.json);
        Ok(())
    }
}

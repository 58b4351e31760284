//! `load publish`: what an HTTP publish costs by itself, with one subscriber to receive it. Each
//! connection publishes again as soon as it was answered.

use super::Workload;
use super::broadcast::{Pace, Plan};
use super::timing::Timing;
use crate::report::Report;
use crate::server::process::Server;
use crate::server::target::LoadTarget;
use anyhow::Result;

/// How much, how long.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Publish {
    /// Keep-alive connections, one request outstanding on each
    #[arg(long, default_value_t = 8)]
    pub(crate) connections: usize,
    #[command(flatten)]
    pub(crate) timing: Timing,
}

impl Workload for Publish {
    fn run(&self, target: &LoadTarget, server: &Server) -> Result<Report> {
        let plan = Plan {
            name: "publish",
            subscribers: 1,
            publishers: self.connections,
            pace: Pace::Answered,
            payload: 128,
            timing: self.timing,
        };
        plan.run(target, server)
    }
}

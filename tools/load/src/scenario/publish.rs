//! `load publish`: what an HTTP publish costs by itself, with one subscriber to receive it. Each
//! connection publishes again as soon as it was answered.

use super::broadcast::{self, Pace, Plan};
use super::fanout::seconds;
use crate::process::Server;
use crate::report::Report;
use crate::target::{self, Target};
use anyhow::Result;

/// Options of `load publish`.
#[derive(clap::Args, Clone)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: target::Options,
    #[command(flatten)]
    pub(crate) shape: Shape,
}

/// How much, how long.
#[derive(clap::Args, Clone)]
pub(crate) struct Shape {
    /// Keep-alive connections, one request outstanding on each
    #[arg(long, default_value_t = 8)]
    pub(crate) connections: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Seconds before them that are not
    #[arg(long, default_value_t = 1.0)]
    pub(crate) warmup: f64,
}

/// Runs the scenario.
pub(crate) fn run(target: &Target, server: &Server, shape: &Shape) -> Result<Report> {
    let plan = Plan {
        scenario: "publish",
        subscribers: 1,
        lanes: shape.connections,
        pace: Pace::Answered,
        payload: 128,
        warmup: seconds(shape.warmup)?,
        duration: seconds(shape.seconds)?,
    };
    broadcast::run(target, server, &plan)
}

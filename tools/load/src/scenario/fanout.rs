//! `load fanout`: every event goes to every subscriber. Closed loop by default, at a fixed rate
//! with `--rate`.

use super::broadcast::{self, Pace, Plan};
use crate::marker::MIN_PAYLOAD;
use crate::process::Server;
use crate::report::Report;
use crate::target::{self, Target};
use anyhow::{Result, bail};
use std::time::Duration;

/// Options of `load fanout`.
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
    /// Connections subscribed to the channel
    #[arg(long, default_value_t = 1000)]
    pub(crate) subscribers: usize,
    /// Publishers, each on a keep-alive connection of its own
    #[arg(long, default_value_t = 8)]
    pub(crate) publishers: usize,
    /// Events in flight in all: published, and not yet with every subscriber. They are shared
    /// out evenly to the publishers, each of which pipelines its share on its connection
    #[arg(long, default_value_t = 8)]
    pub(crate) in_flight: usize,
    /// One connection per event in flight instead of pipelining
    #[arg(long)]
    pub(crate) no_pipelining: bool,
    /// Open loop: this many events per second in all, on a fixed schedule; latency counts from
    /// the scheduled time. Replaces --in-flight
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Bytes of event data
    #[arg(long, default_value_t = 128)]
    pub(crate) payload: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Seconds before them that are not
    #[arg(long, default_value_t = 1.0)]
    pub(crate) warmup: f64,
}

/// Runs the scenario.
pub(crate) fn run(target: &Target, server: &Server, shape: &Shape) -> Result<Report> {
    payload_fits(shape.payload)?;
    let each = shape.in_flight.checked_div(shape.publishers).unwrap_or(0);
    if each == 0 || each > 1000 || !shape.in_flight.is_multiple_of(shape.publishers) {
        bail!(
            "--in-flight is {} for {} publishers: it must be 1 to 1000 times their number",
            shape.in_flight,
            shape.publishers
        );
    }
    let (lanes, pace) = match shape.rate {
        Some(rate) if rate > 0.0 => (shape.publishers, Pace::Rate(rate)),
        Some(rate) => bail!("--rate is {rate}: it must be above 0"),
        None if shape.no_pipelining => (shape.in_flight, Pace::Delivered(1)),
        None => (shape.publishers, Pace::Delivered(each)),
    };
    let plan = Plan {
        scenario: "fanout",
        subscribers: shape.subscribers,
        lanes,
        pace,
        payload: shape.payload,
        warmup: seconds(shape.warmup)?,
        duration: seconds(shape.seconds)?,
    };
    broadcast::run(target, server, &plan)
}

/// Errors: event data of so many bytes holds no marker, or is more than servers take.
pub(crate) fn payload_fits(payload: usize) -> Result<()> {
    if !(MIN_PAYLOAD..=10_000).contains(&payload) {
        bail!("--payload is {payload}: {MIN_PAYLOAD} to 10000 bytes are possible");
    }
    Ok(())
}

/// A duration of so many seconds, at most a day.
pub(crate) fn seconds(value: f64) -> Result<Duration> {
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if value <= 86_400.0 => Ok(duration),
        _ => bail!("{value} is not a number of seconds between 0 and 86400"),
    }
}

//! `load fanout`: every event goes to every subscriber. Closed loop by default, at a fixed rate
//! with `--rate`.

use super::Workload;
use super::broadcast::{Pace, Plan};
use super::timing::Timing;
use crate::client::marker::MIN_PAYLOAD;
use crate::report::Report;
use crate::server::process::Server;
use crate::server::target::LoadTarget;
use anyhow::{Result, bail};

/// How much, how long.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Fanout {
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
    #[command(flatten)]
    pub(crate) timing: Timing,
}

impl Workload for Fanout {
    fn run(&self, target: &LoadTarget, server: &Server) -> Result<Report> {
        payload_fits(self.payload)?;
        let each = self.in_flight.checked_div(self.publishers).unwrap_or(0);
        if each == 0 || each > 1000 || !self.in_flight.is_multiple_of(self.publishers) {
            bail!(
                "--in-flight is {} for {} publishers: it must be 1 to 1000 times their number",
                self.in_flight,
                self.publishers
            );
        }
        let (publishers, pace) = match self.rate {
            Some(rate) if rate > 0.0 => (self.publishers, Pace::Rate(rate)),
            Some(rate) => bail!("--rate is {rate}: it must be above 0"),
            None if self.no_pipelining => (self.in_flight, Pace::Delivered(1)),
            None => (self.publishers, Pace::Delivered(each)),
        };
        let plan = Plan {
            name: "fanout",
            subscribers: self.subscribers,
            publishers,
            pace,
            payload: self.payload,
            timing: self.timing,
        };
        plan.run(target, server)
    }
}

/// Errors: event data of so many bytes holds no marker, or is more than servers take.
pub(super) fn payload_fits(payload: usize) -> Result<()> {
    if !(MIN_PAYLOAD..=10_000).contains(&payload) {
        bail!("--payload is {payload}: {MIN_PAYLOAD} to 10000 bytes are possible");
    }
    Ok(())
}

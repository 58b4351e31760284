//! `load churn`: connections that come, subscribe, and go again, with an event for each if asked
//! for. For the price of a connection, and for finding what a server forgets to free.

mod cycle;
mod cycles;

use super::Workload;
use super::timing::seconds;
use crate::client::publisher::Publisher;
use crate::client::subscribers::Subscribers;
use crate::meter::Meter;
use crate::net::open_files::raise_limit;
use crate::net::reactor::Reactor;
use crate::report::Report;
use crate::server::process::Server;
use crate::server::target::LoadTarget;
use anyhow::{Result, bail};
use cycles::Cycles;
use std::time::{Duration, Instant};

/// Channels that the cycles share.
const SHARED: usize = 256;

/// Connections that publish, for `--publish`.
const PUBLISHERS: usize = 4;

/// How much, how long.
#[derive(clap::Args, Clone, Default)]
#[group(skip)]
pub(crate) struct Churn {
    /// Cycles going on at one time
    #[arg(long, default_value_t = 32)]
    pub(crate) concurrency: usize,
    /// Cycles that are measured
    #[arg(long, default_value_t = 20_000, conflicts_with = "seconds")]
    pub(crate) cycles: usize,
    /// Seconds that are measured, instead of a number of cycles
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<Duration>,
    /// Cycles before them; the server's memory after these is `rss_warm_bytes`
    #[arg(long, default_value_t = 2_000)]
    pub(crate) warmup_cycles: usize,
    /// Publish an event in every cycle, to a channel of its own, and wait for it
    #[arg(long)]
    pub(crate) publish: bool,
    /// Subscribe to a channel of its own in every cycle instead of one of 256
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Have each of the 256 channels occupied on every node all the time, by a subscriber that stays
    #[arg(long, conflicts_with_all = ["fresh", "publish"])]
    pub(crate) occupied: bool,
    /// End the TCP connection at once instead of exchanging close frames first
    #[arg(long)]
    pub(crate) abrupt: bool,
}

impl Workload for Churn {
    fn run(&self, target: &LoadTarget, server: &Server) -> Result<Report> {
        if self.concurrency == 0 {
            bail!("--concurrency is 0: at least one cycle at a time is needed");
        }
        let staying = if self.occupied { SHARED * target.len() } else { 0 };
        raise_limit(self.concurrency + PUBLISHERS + staying)?;
        // They are sent nothing, so nobody has to look after them.
        let mut aside = Reactor::new()?;
        let mut occupants = Subscribers::connect(&mut aside, target, staying)?;
        occupants.subscribe(&mut aside, target, |index| {
            std::iter::once(shared_channel(index, target))
        })?;
        let reactor = Reactor::new()?;
        let publishers = if self.publish { PUBLISHERS } else { 0 };
        let publishers = Publisher::connect_all(target, &reactor, self.concurrency, publishers)?;
        let mut cycles = Cycles::new(self, target, reactor, publishers);

        let far = Instant::now() + Duration::from_secs(86_400);
        cycles.run(self.warmup_cycles, far)?;
        let warm = server.settled_rss()?;
        let meter = Meter::start(server)?;
        match self.seconds {
            Some(limit) => cycles.run(usize::MAX, Instant::now() + limit)?,
            None => cycles.run(self.warmup_cycles + self.cycles, far)?,
        }
        let measured = meter.stop(server)?;
        let after = server.settled_rss()?;
        drop(occupants);

        let done = cycles.done - self.warmup_cycles;
        let mut report = Report::new("churn");
        report.count("cycles", done);
        report.count("warmup_cycles", self.warmup_cycles);
        report.count("published", cycles.answered);
        report.count("deliveries", cycles.deliveries);
        measured.per(&mut report, ("cycle", "cycles"), done);
        if let (Some(warm), Some(after)) = (warm, after) {
            report.figure("rss_warm_bytes", warm as f64, "B");
            report.figure("rss_after_bytes", after as f64, "B");
            report.figure("rss_after_to_warm", after as f64 / warm as f64, "x");
        }
        measured.shares(&mut report);
        Ok(report)
    }
}

impl Churn {
    /// The `number`th cycle's channel. Published to or fresh: one of its own. Otherwise one of a few
    /// hundred, as users have.
    fn channel(&self, number: usize, target: &LoadTarget) -> String {
        if self.publish || self.fresh {
            format!("load-churn-{number}")
        } else {
            shared_channel(number, target)
        }
    }
}

/// Every shared channel has its turn on every node.
fn shared_channel(number: usize, target: &LoadTarget) -> String {
    format!("load-{}", number / target.len() % SHARED)
}

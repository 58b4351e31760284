//! Measures a stretch of a run: time, the server's CPU and our own. It must not know what
//! happens in that stretch.

use crate::report::Report;
use crate::server::process::Server;
use crate::server::procfs::cpu_of;
use anyhow::Result;
use std::time::{Duration, Instant};

/// A stretch that has begun.
pub(crate) struct Meter {
    began: Instant,
    server: Option<Duration>,
    own: Duration,
    broker: Traffic,
}

/// What nodes have handed to a broker; nothing without one.
#[derive(Clone, Copy)]
struct Traffic {
    messages: f64,
    bytes: f64,
}

/// A stretch that is over.
pub(crate) struct Measured {
    /// How long it was.
    pub(crate) elapsed: Duration,
    server: Option<Duration>,
    own: Duration,
    broker: Traffic,
}

impl Traffic {
    fn of(server: &Server) -> Result<Self> {
        let scraped = server.scrape()?;
        let sum = |name| scraped.iter().map(|metrics| metrics.sum(name)).sum();
        Ok(Self { messages: sum("broker_messages_sent_total"), bytes: sum("broker_sent_bytes") })
    }
}

impl Meter {
    /// Begins.
    pub(crate) fn start(server: &Server) -> Result<Self> {
        // Whatever reading the metrics costs is not part of the stretch.
        let broker = Traffic::of(server)?;
        let (server, own) = (server.cpu()?, cpu_of(std::process::id())?);
        Ok(Self { began: Instant::now(), server, own, broker })
    }

    /// Ends.
    pub(crate) fn stop(&self, server: &Server) -> Result<Measured> {
        let elapsed = self.began.elapsed();
        let own = cpu_of(std::process::id())?.saturating_sub(self.own);
        let used = server.cpu()?.zip(self.server).map(|(now, then)| now.saturating_sub(then));
        let now = Traffic::of(server)?;
        let broker = Traffic {
            messages: now.messages - self.broker.messages,
            bytes: now.bytes - self.broker.bytes,
        };
        Ok(Measured { elapsed, server: used, own, broker })
    }
}

impl Measured {
    /// Adds `<many>_per_s` and, with a server to measure, `cpu_us_per_<one>` for `count` of it.
    pub(crate) fn per(&self, report: &mut Report, (one, many): (&str, &str), count: usize) {
        report.figure(&format!("{many}_per_s"), count as f64 / self.elapsed.as_secs_f64(), "/s");
        if let (Some(cpu), true) = (self.server, count > 0) {
            let each = cpu.as_secs_f64() * 1e6 / count as f64;
            report.figure(&format!("cpu_us_per_{one}"), each, "us");
        }
    }

    /// Adds how busy the server and the load generator were, in percent of one core, and what the
    /// server has handed to a broker.
    pub(crate) fn shares(&self, report: &mut Report) {
        let percent = |cpu: Duration| 100.0 * cpu.as_secs_f64() / self.elapsed.as_secs_f64();
        report.figure("measured_s", self.elapsed.as_secs_f64(), "s");
        if let Some(cpu) = self.server {
            report.figure("server_cpu_percent", percent(cpu), "%");
        }
        report.figure("load_cpu_percent", percent(self.own), "%");
        if self.broker.messages > 0.0 {
            report.figure("broker_messages", self.broker.messages, "");
            report.figure("broker_bytes", self.broker.bytes, "B");
        }
    }
}

//! `load idle`: connections that are subscribed and then do nothing but answer pings. What they
//! cost in memory and CPU.

use super::Workload;
use super::timing::seconds;
use crate::client::subscribers::{Subscribers, mentions};
use crate::meter::Meter;
use crate::net::open_files::raise_limit;
use crate::net::reactor::Reactor;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::process::Server;
use crate::server::target::LoadTarget;
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// How much, how long.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Idle {
    /// Connections, each subscribed to one channel
    #[arg(long, default_value_t = 15_000)]
    pub(crate) connections: usize,
    /// Channels over which they are spread
    #[arg(long, default_value_t = 100)]
    pub(crate) channels: usize,
    /// Seconds over which the server's CPU is measured
    #[arg(long, default_value = "30", value_parser = seconds)]
    pub(crate) seconds: Duration,
    /// Send a pusher:ping on every connection once in so many seconds, as pusher-js does;
    /// 0 sends none
    #[arg(long, default_value = "0", value_parser = seconds)]
    pub(crate) ping_every: Duration,
}

impl Workload for Idle {
    fn run(&self, target: &LoadTarget, server: &Server) -> Result<Report> {
        if self.connections == 0 || self.channels == 0 {
            bail!("at least one connection and one channel are needed");
        }
        raise_limit(self.connections)?;
        let mut reactor = Reactor::new()?;
        let before = server.settled_rss()?;
        let opening = Instant::now();
        let mut subscribers = Subscribers::connect(&mut reactor, target, self.connections)?;
        subscribers.subscribe(&mut reactor, target, |index| {
            std::iter::once(format!("load-idle-{}", index % self.channels))
        })?;
        let opened = opening.elapsed();
        let after = server.settled_rss()?;

        let meter = Meter::start(server)?;
        let (pings, pongs) = self.stay(&mut reactor, &mut subscribers)?;
        let measured = meter.stop(server)?;

        let mut report = Report::new("idle");
        report.count("connections", self.connections);
        report.figure("opened_per_s", self.connections as f64 / opened.as_secs_f64(), "/s");
        if let (Some(before), Some(after)) = (before, after) {
            report.figure("rss_before_bytes", before as f64, "B");
            report.figure("rss_after_bytes", after as f64, "B");
            let each = (after as f64 - before as f64) / self.connections as f64;
            report.figure("rss_bytes_per_connection", each, "B");
        }
        report.count("control_pings_answered", subscribers.pings());
        report.count("pings_sent", pings);
        report.count("pongs_received", pongs);
        measured.shares(&mut report);
        Ok(report)
    }
}

impl Idle {
    /// Stays connected for as long as asked; returns the `pusher:ping`s sent and pongs received.
    fn stay(&self, reactor: &mut Reactor, subscribers: &mut Subscribers) -> Result<(usize, usize)> {
        let began = Instant::now();
        let end = began + self.seconds;
        let interval = self.ping_every.as_secs_f64() / subscribers.len() as f64;
        let mut progress = Progress::new("idle");
        let (mut sent, mut pongs) = (0, 0);
        loop {
            let now = Instant::now();
            // After the end, only the answers to pings are waited for.
            if now >= end && (pongs == sent || now > end + Duration::from_secs(5)) {
                return Ok((sent, pongs));
            }
            if interval > 0.0 && now < end {
                // The pings are spread evenly, in a burst each 50 ms so that we sleep in between.
                let due = (now.duration_since(began).as_secs_f64() / interval) as usize;
                for number in sent..due {
                    subscribers.ping(number % subscribers.len())?;
                }
                sent = sent.max(due);
            }
            let pause = Duration::from_millis(if interval > 0.0 { 50 } else { 1000 });
            let until = if now < end { end.min(now + pause) } else { now + pause };
            reactor.wait(until)?;
            for event in &reactor.events {
                subscribers.ready(event, &mut reactor.buffer, |_, frame| {
                    pongs += usize::from(mentions(frame, "pusher:pong"));
                })?;
            }
            progress.show(now, pongs, "pongs");
        }
    }
}

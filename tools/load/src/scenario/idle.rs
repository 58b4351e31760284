//! `load idle`: connections that are subscribed and then do nothing but answer pings. What they
//! cost in memory and CPU.

use super::fanout::seconds;
use crate::meter::{Meter, Progress};
use crate::process::{Server, raise_descriptors};
use crate::reactor::Reactor;
use crate::report::Report;
use crate::subscribers::{Subscribers, tells};
use crate::target::{self, Target};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Options of `load idle`.
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
    /// Connections, each subscribed to one channel
    #[arg(long, default_value_t = 15_000)]
    pub(crate) connections: usize,
    /// Channels over which they are spread
    #[arg(long, default_value_t = 100)]
    pub(crate) channels: usize,
    /// Seconds over which the server's CPU is measured
    #[arg(long, default_value_t = 30.0)]
    pub(crate) seconds: f64,
    /// Send a pusher:ping on every connection once in so many seconds, as pusher-js does;
    /// 0 sends none
    #[arg(long, default_value_t = 0.0)]
    pub(crate) ping_every: f64,
}

/// Runs the scenario.
pub(crate) fn run(target: &Target, server: &Server, shape: &Shape) -> Result<Report> {
    if shape.connections == 0 || shape.channels == 0 {
        bail!("at least one connection and one channel are needed");
    }
    raise_descriptors(shape.connections)?;
    let mut reactor = Reactor::new()?;
    let before = server.settled_rss()?;
    let opening = Instant::now();
    let mut subscribers = Subscribers::connect(&mut reactor, target, shape.connections)?;
    subscribers.subscribe(&mut reactor, target, |index| {
        std::iter::once(format!("load-idle-{}", index % shape.channels))
    })?;
    let opened = opening.elapsed();
    let after = server.settled_rss()?;

    let meter = Meter::start(server)?;
    let (pings, pongs) = stay(&mut reactor, &mut subscribers, shape)?;
    let measured = meter.stop(server)?;

    let mut report = Report::new("idle");
    report.count("connections", shape.connections);
    report.figure("opened_per_s", shape.connections as f64 / opened.as_secs_f64(), "/s");
    if let (Some(before), Some(after)) = (before, after) {
        report.figure("rss_before_bytes", before as f64, "B");
        report.figure("rss_after_bytes", after as f64, "B");
        let each = (after as f64 - before as f64) / shape.connections as f64;
        report.figure("rss_bytes_per_connection", each, "B");
    }
    report.count("control_pings_answered", subscribers.pings());
    report.count("pings_sent", pings);
    report.count("pongs_received", pongs);
    measured.shares(&mut report);
    Ok(report)
}

/// Stays connected for as long as asked; returns the `pusher:ping`s sent and pongs received.
fn stay(
    reactor: &mut Reactor,
    subscribers: &mut Subscribers,
    shape: &Shape,
) -> Result<(usize, usize)> {
    let began = Instant::now();
    let end = began + seconds(shape.seconds)?;
    let interval = seconds(shape.ping_every)?.as_secs_f64() / subscribers.len() as f64;
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
                pongs += usize::from(tells(frame, "pusher:pong"));
            })?;
        }
        progress.show(now, pongs, "pongs");
    }
}

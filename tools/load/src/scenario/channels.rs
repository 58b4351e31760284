//! `load channels`: very many channels with one subscriber each, published to at random. What a
//! channel costs in memory, and whether a publish costs more because there are many: first each
//! connection has one channel and they are published to, then all the others are added and the
//! same is done again, on the same connections of the same process.

use super::deliveries::{histogram, micros};
use super::draw::Draw;
use super::fanout::{payload_fits, seconds};
use crate::lane::Lane;
use crate::marker::{self, Finder};
use crate::meter::{Measured, Meter, Progress};
use crate::process::{Server, raise_descriptors};
use crate::reactor::{PATIENCE, Reactor};
use crate::report::Report;
use crate::request::Request;
use crate::subscribers::Subscribers;
use crate::target::{self, Target};
use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Different events that are published in turn, each to a channel picked at random. Signed once
/// each; enough of them that a server's caches see new channels all the time.
const EVENTS: usize = 32_768;

/// Options of `load channels`.
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
    /// Channels, each with one subscriber
    #[arg(long, default_value_t = 100_000)]
    pub(crate) channels: usize,
    /// WebSocket connections over which the subscriptions are spread
    #[arg(long, default_value_t = 1000)]
    pub(crate) connections: usize,
    /// Keep-alive connections that publish, one request outstanding on each
    #[arg(long, default_value_t = 8)]
    pub(crate) publishers: usize,
    /// Private channels instead of public ones
    #[arg(long)]
    pub(crate) private: bool,
    /// Bytes of event data
    #[arg(long, default_value_t = 128)]
    pub(crate) payload: usize,
    /// Share of the events whose subscriber is on another node than their publisher, from 0 to 1;
    /// left to chance without it, as it is on one node
    #[arg(long)]
    pub(crate) elsewhere: Option<f64>,
    /// Seconds that are measured with few channels, and again with all of them
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Seconds before them that are not
    #[arg(long, default_value_t = 1.0)]
    pub(crate) warmup: f64,
}

/// One of the events that are published in turn.
struct Event {
    channel: usize,
    request: Request,
    /// Published and not yet received.
    pending: bool,
}

struct Publishing<'a> {
    target: &'a Target,
    shape: &'a Shape,
    reactor: Reactor,
    subscribers: Subscribers,
    lanes: Vec<Lane>,
    /// When the request outstanding on each lane was sent.
    outstanding: Vec<Option<Instant>>,
    events: Vec<Event>,
    draw: Draw,
    finder: Finder,
    answers: Histogram<u64>,
    sent: usize,
    answered: usize,
    received: usize,
    /// Publishes answered while it was last measured.
    during: usize,
    lost: usize,
    repeated: usize,
    misdelivered: usize,
    last_move: Instant,
}

/// Runs the scenario.
pub(crate) fn run(target: &Target, server: &Server, shape: &Shape) -> Result<Report> {
    if shape.connections == 0 || shape.channels < shape.connections || shape.publishers == 0 {
        bail!("at least one connection, one publisher and one channel per connection are needed");
    }
    payload_fits(shape.payload)?;
    raise_descriptors(shape.connections + shape.publishers)?;
    let mut reactor = Reactor::new()?;
    let mut subscribers = Subscribers::connect(&mut reactor, target, shape.connections)?;
    let first = |index| std::iter::once(shape.name(index));
    subscribers.subscribe(&mut reactor, target, first)?;
    let mut run = Publishing::new(target, reactor, subscribers, shape)?;
    let mut report = Report::new("channels");
    report.count("channels", shape.channels);
    report.count("connections", shape.connections);

    // With a connection for every channel, few are as many as all.
    if shape.channels > shape.connections {
        run.add_all(server, &mut report)?;
    }
    let measured = run.publish_to(shape.channels, server)?;
    measured.per(&mut report, ("publish", "publishes"), run.during);
    if let (Some(many), Some(few)) =
        (report.get("cpu_us_per_publish"), report.get("cpu_us_per_publish_few"))
    {
        report.figure("cpu_many_to_few", many / few, "x");
    }
    report.count("events", run.sent);
    report.count("deliveries", run.received);
    report.count("lost", run.lost);
    report.count("repeated", run.repeated);
    report.count("misdelivered", run.misdelivered);
    report.latencies("answer", &run.answers);
    measured.shares(&mut report);
    Ok(report)
}

impl Shape {
    fn name(&self, channel: usize) -> String {
        format!("{}load-channel-{channel}", if self.private { "private-" } else { "" })
    }
}

impl<'a> Publishing<'a> {
    fn new(
        target: &'a Target,
        reactor: Reactor,
        subscribers: Subscribers,
        shape: &'a Shape,
    ) -> Result<Self> {
        let connect = |lane: usize| {
            let token = subscribers.len() + lane;
            Lane::connect(target.publishing(lane), reactor.poll.registry(), token)
        };
        let lanes = (0..shape.publishers).map(connect).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            target,
            shape,
            outstanding: vec![None; lanes.len()],
            reactor,
            subscribers,
            lanes,
            events: Vec::new(),
            draw: Draw::new(1, None, std::iter::empty()),
            finder: Finder::default(),
            answers: histogram(),
            sent: 0,
            answered: 0,
            received: 0,
            during: 0,
            lost: 0,
            repeated: 0,
            misdelivered: 0,
            last_move: Instant::now(),
        })
    }

    /// Measures with a channel per connection, then adds all the other channels and weighs them.
    fn add_all(&mut self, server: &Server, report: &mut Report) -> Result<()> {
        let Shape { channels, connections, .. } = *self.shape;
        let few = self.publish_to(connections, server)?;
        few.per(report, ("publish_few", "publishes_few"), self.during);
        let before = server.settled_rss()?;
        self.subscribers.subscribe(&mut self.reactor, self.target, |index| {
            let others = (index..channels).step_by(connections).skip(1);
            others.map(|channel| self.shape.name(channel))
        })?;
        if let (Some(before), Some(after)) = (before, server.settled_rss()?) {
            report.figure("rss_few_bytes", before as f64, "B");
            report.figure("rss_many_bytes", after as f64, "B");
            let added = (channels - connections) as f64;
            report.figure("rss_bytes_per_channel", (after as f64 - before as f64) / added, "B");
        }
        Ok(())
    }

    /// Publishes to the first `channels` channels: the warm-up, then what is measured, then the
    /// rest of the deliveries.
    fn publish_to(&mut self, channels: usize, server: &Server) -> Result<Measured> {
        let shape = self.shape;
        // A multiplicative congruence (Lehmer): the same channels in every run, in no order.
        let mut random: u64 = 1;
        let event = |id: usize| {
            random = random * 48_271 % 0x7fff_ffff;
            let channel = random as usize % channels;
            let request =
                Request::new(&shape.name(channel), &marker::payload(id as u32, shape.payload));
            Event { channel, request, pending: false }
        };
        self.events = (0..EVENTS.max(2 * shape.publishers)).map(event).collect();
        let nodes = self.target.len();
        let homes = self.events.iter().map(|event| event.channel % shape.connections % nodes);
        self.draw = Draw::new(nodes, shape.elsewhere, homes);

        self.last_move = Instant::now();
        let mut progress = Progress::new("channels");
        self.until(Instant::now() + seconds(shape.warmup)?, &mut progress)?;
        self.answers.reset();
        let answered = self.answered;
        let meter = Meter::start(server)?;
        self.until(Instant::now() + seconds(shape.seconds)?, &mut progress)?;
        let measured = meter.stop(server)?;
        self.during = self.answered - answered;
        self.drain()?;
        self.lost += self.events.iter().filter(|event| event.pending).count();
        Ok(measured)
    }

    fn until(&mut self, end: Instant, progress: &mut Progress) -> Result<()> {
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            for lane in 0..self.lanes.len() {
                if self.outstanding[lane].is_none() {
                    self.send(lane, now)?;
                }
            }
            self.turn(end.min(progress.next()))?;
            progress.show(now, self.received, "deliveries");
            if self.last_move.elapsed() > PATIENCE {
                bail!("nothing has come for {PATIENCE:?}");
            }
        }
    }

    fn send(&mut self, lane: usize, now: Instant) -> Result<()> {
        let index = self.draw.event(lane % self.target.len());
        let event = &mut self.events[index];
        // Its last delivery is still missing: drain() tells if it never comes.
        if event.pending {
            return Ok(());
        }
        event.pending = true;
        self.lanes[lane].queue(event.request.bytes(self.target.publishing(lane), now));
        self.lanes[lane].flush()?;
        self.outstanding[lane] = Some(now);
        self.sent += 1;
        Ok(())
    }

    fn turn(&mut self, until: Instant) -> Result<()> {
        self.reactor.wait(until)?;
        let connections = self.subscribers.len();
        for event in &self.reactor.events {
            let now = Instant::now();
            self.last_move = now;
            if let Some(lane) = event.token().0.checked_sub(connections) {
                if self.lanes[lane].ready(event, &mut self.reactor.buffer)? > 0 {
                    self.answered += 1;
                    if let Some(sent) = self.outstanding[lane].take() {
                        self.answers.saturating_record(micros(now.duration_since(sent)));
                    }
                }
                continue;
            }
            self.subscribers.ready(event, &mut self.reactor.buffer, |subscriber, frame| {
                let Some(id) = self.finder.find(frame) else { return };
                let Some(event) = self.events.get_mut(id as usize) else { return };
                self.received += 1;
                self.repeated += usize::from(!std::mem::replace(&mut event.pending, false));
                self.misdelivered += usize::from(event.channel % connections != subscriber);
            })?;
        }
        Ok(())
    }

    /// Receives what is still on its way.
    fn drain(&mut self) -> Result<()> {
        self.last_move = Instant::now();
        while self.received < self.sent || self.answered < self.sent {
            if self.last_move.elapsed() > PATIENCE / 3 {
                break;
            }
            self.turn(Instant::now() + Duration::from_millis(100))?;
        }
        Ok(())
    }
}

//! `load channels`: very many channels with one subscriber each, published to at random. What a
//! channel costs in memory, and whether a publish costs more because there are many: first each
//! connection has one channel and they are published to, then all the others are added and the
//! same is done again, on the same connections of the same process.

use super::Workload;
use super::fanout::payload_fits;
use super::picker::Picker;
use super::publishing::{PublishOutcome, Publishing, Traffic};
use super::timing::Timing;
use crate::client::marker;
use crate::client::publisher::Publisher;
use crate::client::request::LoadRequest;
use crate::client::subscribers::Subscribers;
use crate::net::open_files::raise_limit;
use crate::net::reactor::Reactor;
use crate::report::Report;
use crate::server::process::Server;
use crate::server::target::LoadTarget;
use anyhow::{Result, bail};
use std::time::Instant;

/// Different events that are published in turn, each to a channel picked at random. Signed once
/// each; enough of them that a server's caches see new channels all the time.
const EVENTS: usize = 32_768;

/// How much, how long.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct ChannelChoice {
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
    #[command(flatten)]
    pub(crate) timing: Timing,
}

/// One of the events that are published in turn.
struct ChannelEvent {
    channel: usize,
    request: LoadRequest,
    /// When it was published, until it is received.
    pending: Option<Instant>,
}

/// Events to random channels among the first ones.
struct Random<'a> {
    options: &'a ChannelChoice,
    target: &'a LoadTarget,
    events: Vec<ChannelEvent>,
    picker: Picker,
    sent: usize,
    received: usize,
    lost: usize,
    repeated: usize,
    misdelivered: usize,
}

impl Workload for ChannelChoice {
    fn run(&self, target: &LoadTarget, server: &Server) -> Result<Report> {
        if self.connections == 0 || self.channels < self.connections || self.publishers == 0 {
            bail!(
                "at least one connection, one publisher and one channel per connection are needed"
            );
        }
        payload_fits(self.payload)?;
        raise_limit(self.connections + self.publishers)?;
        let mut reactor = Reactor::new()?;
        let mut subscribers = Subscribers::connect(&mut reactor, target, self.connections)?;
        let first = |index| std::iter::once(self.name(index));
        subscribers.subscribe(&mut reactor, target, first)?;
        let random = Random::new(self, target);
        let mut run = Publishing::connect(target, reactor, subscribers, self.publishers, random)?;
        let mut report = Report::new("channels");
        report.count("channels", self.channels);
        report.count("connections", self.connections);

        // With a connection for every channel, few are as many as all.
        if self.channels > self.connections {
            let few = run.publish_to(self.connections, server)?;
            few.measured.per(&mut report, ("publish_few", "publishes_few"), few.answered);
            run.add_all(server, &mut report)?;
        }
        let many = run.publish_to(self.channels, server)?;
        many.measured.per(&mut report, ("publish", "publishes"), many.answered);
        if let (Some(many), Some(few)) =
            (report.get("cpu_us_per_publish"), report.get("cpu_us_per_publish_few"))
        {
            report.figure("cpu_many_to_few", many / few, "x");
        }
        report.count("events", run.traffic.sent);
        report.count("deliveries", run.traffic.received);
        report.count("lost", run.traffic.lost);
        report.count("repeated", run.traffic.repeated);
        report.count("misdelivered", run.traffic.misdelivered);
        report.latencies("answer", &many.answers);
        many.measured.shares(&mut report);
        Ok(report)
    }
}

impl ChannelChoice {
    fn name(&self, channel: usize) -> String {
        format!("{}load-channel-{channel}", if self.private { "private-" } else { "" })
    }
}

impl Publishing<Random<'_>> {
    /// Publishes to the first `channels` channels, and counts what never arrived.
    fn publish_to(&mut self, channels: usize, server: &Server) -> Result<PublishOutcome> {
        self.traffic.choose_from(channels);
        let outcome = self.measure("channels", self.traffic.options.timing, server)?;
        self.traffic.lost += self.traffic.events.iter().filter(|one| one.pending.is_some()).count();
        Ok(outcome)
    }

    /// Adds all channels but the first of each connection, and weighs them.
    fn add_all(&mut self, server: &Server, report: &mut Report) -> Result<()> {
        let Random { options, target, .. } = self.traffic;
        let before = server.settled_rss()?;
        self.subscribers.subscribe(&mut self.reactor, target, |index| {
            let others = (index..options.channels).step_by(options.connections).skip(1);
            others.map(|channel| options.name(channel))
        })?;
        if let (Some(before), Some(after)) = (before, server.settled_rss()?) {
            report.figure("rss_few_bytes", before as f64, "B");
            report.figure("rss_many_bytes", after as f64, "B");
            let added = (options.channels - options.connections) as f64;
            report.figure("rss_bytes_per_channel", (after as f64 - before as f64) / added, "B");
        }
        Ok(())
    }
}

impl<'a> Random<'a> {
    fn new(options: &'a ChannelChoice, target: &'a LoadTarget) -> Self {
        Self {
            options,
            target,
            events: Vec::new(),
            picker: Picker::new(1, None, std::iter::empty()),
            sent: 0,
            received: 0,
            lost: 0,
            repeated: 0,
            misdelivered: 0,
        }
    }

    /// From now on, events go to the first `channels` channels.
    fn choose_from(&mut self, channels: usize) {
        let options = self.options;
        // A multiplicative congruence (Lehmer): the same channels in every run, in no order.
        let mut random: u64 = 1;
        let event = |id: usize| {
            random = random * 48_271 % 0x7fff_ffff;
            let channel = random as usize % channels;
            let data = marker::payload(id as u32, options.payload);
            ChannelEvent {
                channel,
                request: LoadRequest::new(&options.name(channel), &data),
                pending: None,
            }
        };
        self.events = (0..EVENTS.max(2 * options.publishers)).map(event).collect();
        let nodes = self.target.len();
        let homes = self.events.iter().map(|event| event.channel % options.connections % nodes);
        self.picker = Picker::new(nodes, options.elsewhere, homes);
    }
}

impl Traffic for Random<'_> {
    fn publish(&mut self, publishers: &mut [Publisher], now: Instant) -> Result<Option<Instant>> {
        for (at, publisher) in publishers.iter_mut().enumerate() {
            if publisher.outstanding() > 0 {
                continue;
            }
            let event = &mut self.events[self.picker.event(at % self.target.len())];
            // If its last delivery is still missing, another one's turn comes.
            if event.pending.is_some() {
                continue;
            }
            event.pending = Some(now);
            publisher.queue(event.request.bytes(self.target.publishing(at), now), now);
            publisher.flush()?;
            self.sent += 1;
        }
        Ok(None)
    }

    fn delivered(&mut self, subscriber: usize, id: u32) -> Option<Instant> {
        let event = self.events.get_mut(id as usize)?;
        let sent = event.pending.take();
        self.received += 1;
        self.repeated += usize::from(sent.is_none());
        self.misdelivered += usize::from(event.channel % self.options.connections != subscriber);
        sent
    }

    fn received(&self) -> usize {
        self.received
    }

    fn missing(&self) -> usize {
        self.sent.saturating_sub(self.received)
    }
}

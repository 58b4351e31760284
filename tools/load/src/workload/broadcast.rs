//! The traffic of `fanout` and `publish`: publishers publish to one channel, and every subscriber
//! receives every event. It must not know which of the two it serves.

use super::Workload;
use super::deliveries::Deliveries;
use super::publishing::{Publishing, Traffic};
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
use std::time::{Duration, Instant};

const CHANNEL: &str = "load";

/// What to do.
pub(crate) struct Plan {
    /// The report's name.
    pub(crate) name: &'static str,
    /// Connections subscribed to the channel.
    pub(crate) subscribers: usize,
    /// HTTP connections that publish.
    pub(crate) publishers: usize,
    /// When the next event is published.
    pub(crate) pace: Pace,
    /// Bytes of event data.
    pub(crate) payload: usize,
    /// How long it goes on.
    pub(crate) timing: Timing,
}

/// When a publisher publishes its next event.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// Closed loop: while fewer than this many of its events are short of a subscriber.
    Delivered(usize),
    /// Closed loop: as soon as the last publish was answered.
    Answered,
    /// Open loop: events per second over all publishers, whatever happened to the ones before.
    Rate(f64),
}

/// The events of one publisher.
struct Source {
    /// What it publishes, over and over.
    requests: Vec<LoadRequest>,
    sent: usize,
    delivered: usize,
}

struct Broadcast<'a> {
    plan: &'a Plan,
    target: &'a LoadTarget,
    sources: Vec<Source>,
    deliveries: Deliveries,
    /// When the first event was published.
    began: Option<Instant>,
}

impl Workload for Plan {
    fn run(&self, target: &LoadTarget, server: &Server) -> Result<Report> {
        if self.publishers > 999 || self.publishers == 0 || self.subscribers == 0 {
            bail!("1 to 999 publishing connections and at least one subscriber are needed");
        }
        raise_limit(self.subscribers + self.publishers)?;
        let mut reactor = Reactor::new()?;
        let mut subscribers = Subscribers::connect(&mut reactor, target, self.subscribers)?;
        subscribers.subscribe(&mut reactor, target, |_| std::iter::once(CHANNEL.to_owned()))?;
        let broadcast = Broadcast::new(self, target);
        let mut run =
            Publishing::connect(target, reactor, subscribers, self.publishers, broadcast)?;
        let outcome = run.measure(self.name, self.timing, server)?;

        let Broadcast { deliveries, .. } = &run.traffic;
        let mut report = Report::new(self.name);
        report.count("subscribers", self.subscribers);
        report.count("publishing_connections", self.publishers);
        report.count("events", run.traffic.sent());
        report.count("deliveries", deliveries.received);
        report.count("lost", run.traffic.missing());
        report.count("repeated", deliveries.repeated);
        report.count("out_of_order", deliveries.skipped);
        outcome.measured.per(&mut report, ("publish", "publishes"), outcome.answered);
        outcome.measured.per(&mut report, ("delivery", "deliveries"), outcome.received);
        report.latencies("delivery", &outcome.deliveries);
        report.latencies("answer", &outcome.answers);
        outcome.measured.shares(&mut report);
        Ok(report)
    }
}

impl<'a> Broadcast<'a> {
    fn new(plan: &'a Plan, target: &'a LoadTarget) -> Self {
        // The more can be in flight, the more numbers are needed to tell events apart.
        let cycle = match plan.pace {
            Pace::Delivered(depth) => (4 * depth).clamp(32, 4096),
            Pace::Answered => 128,
            Pace::Rate(_) => 1024,
        };
        let source = |publisher| {
            let request = |sequence| {
                let id = Deliveries::id(publisher, sequence);
                LoadRequest::new(CHANNEL, &marker::payload(id, plan.payload))
            };
            Source { requests: (0..cycle).map(request).collect(), sent: 0, delivered: 0 }
        };
        Self {
            plan,
            target,
            sources: (0..plan.publishers).map(source).collect(),
            deliveries: Deliveries::new(plan.subscribers, plan.publishers, cycle),
            began: None,
        }
    }

    fn publish_scheduled(
        &mut self,
        publishers: &mut [Publisher],
        now: Instant,
        rate: f64,
    ) -> Result<Instant> {
        let began = *self.began.get_or_insert(now);
        loop {
            let sent = self.sent();
            let intended = began + Duration::from_secs_f64(sent as f64 / rate);
            if intended > now {
                return Ok(intended);
            }
            let at = sent % publishers.len();
            if !self.deliveries.is_free(at, self.sources[at].sent) {
                bail!("the server cannot keep up with {rate} events/s");
            }
            self.send(at, &mut publishers[at], now, intended);
            publishers[at].flush()?;
        }
    }

    /// Queues the next event of the publisher at `at`.
    fn send(&mut self, at: usize, publisher: &mut Publisher, now: Instant, intended: Instant) {
        let source = &mut self.sources[at];
        let sequence = source.sent % source.requests.len();
        let request = source.requests[sequence].bytes(self.target.publishing(at), now);
        publisher.queue(request, intended);
        self.deliveries.sent(at, source.sent, intended);
        source.sent += 1;
    }

    /// True if the pace asks for the next event of the publisher at `at`, and it can be told from
    /// those that are in flight.
    fn is_due(&self, at: usize, publisher: &Publisher) -> bool {
        let source = &self.sources[at];
        let wanted = match self.plan.pace {
            Pace::Delivered(depth) => source.sent - source.delivered < depth,
            Pace::Answered | Pace::Rate(_) => publisher.outstanding() == 0,
        };
        wanted
            && publisher.outstanding() < source.requests.len()
            && self.deliveries.is_free(at, source.sent)
    }

    fn sent(&self) -> usize {
        self.sources.iter().map(|source| source.sent).sum()
    }
}

impl Traffic for Broadcast<'_> {
    fn publish(&mut self, publishers: &mut [Publisher], now: Instant) -> Result<Option<Instant>> {
        if let Pace::Rate(rate) = self.plan.pace {
            return self.publish_scheduled(publishers, now, rate).map(Some);
        }
        for (at, publisher) in publishers.iter_mut().enumerate() {
            while self.is_due(at, publisher) {
                self.send(at, publisher, now, now);
            }
            publisher.flush()?;
        }
        Ok(None)
    }

    fn delivered(&mut self, subscriber: usize, id: u32) -> Option<Instant> {
        let sent = self.deliveries.sent_at(id)?;
        if let Some(publisher) = self.deliveries.record(subscriber, id) {
            self.sources[publisher].delivered += 1;
        }
        Some(sent)
    }

    fn received(&self) -> usize {
        self.deliveries.received
    }

    fn missing(&self) -> usize {
        let once = self.deliveries.received - self.deliveries.repeated;
        (self.sent() * self.plan.subscribers).saturating_sub(once)
    }
}

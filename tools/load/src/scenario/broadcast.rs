//! The loop behind `fanout` and `publish`: lanes publish to one channel, subscribers receive, and
//! every delivery is accounted for. It must not know which of the two it serves.

use super::deliveries::{Deliveries, histogram, micros};
use crate::lane::Lane;
use crate::marker::{self, Finder};
use crate::meter::{Meter, Progress};
use crate::process::{Server, raise_descriptors};
use crate::reactor::{PATIENCE, Reactor};
use crate::report::Report;
use crate::request::Request;
use crate::subscribers::Subscribers;
use crate::target::Target;
use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

const CHANNEL: &str = "load";

/// What to do.
pub(crate) struct Plan {
    /// The report's name.
    pub(crate) scenario: &'static str,
    /// Connections subscribed to the channel.
    pub(crate) subscribers: usize,
    /// HTTP connections that publish.
    pub(crate) lanes: usize,
    /// When the next event is published.
    pub(crate) pace: Pace,
    /// Bytes of event data.
    pub(crate) payload: usize,
    /// What is not measured, at the beginning.
    pub(crate) warmup: Duration,
    /// What is measured.
    pub(crate) duration: Duration,
}

/// When a lane publishes its next event.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// Closed loop: while fewer than this many of its events are short of a subscriber.
    Delivered(usize),
    /// Closed loop: as soon as the last publish was answered.
    Answered,
    /// Open loop: events per second over all lanes, whatever happened to the ones before.
    Rate(f64),
}

struct Publisher {
    lane: Lane,
    requests: Vec<Request>,
    sent: usize,
    answered: usize,
    delivered: usize,
}

struct Broadcast<'a> {
    plan: &'a Plan,
    target: &'a Target,
    reactor: Reactor,
    subscribers: Subscribers,
    publishers: Vec<Publisher>,
    deliveries: Deliveries,
    finder: Finder,
    answers: Histogram<u64>,
    began: Instant,
    last_move: Instant,
}

/// Runs `plan` and reports.
pub(crate) fn run(target: &Target, server: &Server, plan: &Plan) -> Result<Report> {
    if plan.lanes > 999 || plan.lanes == 0 || plan.subscribers == 0 {
        bail!("1 to 999 publishing connections and at least one subscriber are needed");
    }
    raise_descriptors(plan.subscribers + plan.lanes)?;
    let mut run = Broadcast::open(target, plan)?;
    let mut progress = Progress::new(plan.scenario);

    run.until(run.began + plan.warmup, &mut progress)?;
    run.deliveries.latency.reset();
    run.answers.reset();
    let before = run.totals();
    let meter = Meter::start(server)?;
    run.until(run.began + plan.warmup + plan.duration, &mut progress)?;
    let measured = meter.stop(server)?;
    let during = run.totals();
    let (latency, answers) = (run.deliveries.latency.clone(), run.answers.clone());
    run.drain()?;

    let sent = run.totals().sent;
    let mut report = Report::new(plan.scenario);
    report.count("subscribers", plan.subscribers);
    report.count("publishing_connections", plan.lanes);
    report.count("events", sent);
    report.count("deliveries", run.deliveries.received);
    report.count("lost", run.missing());
    report.count("repeated", run.deliveries.repeated);
    report.count("out_of_order", run.deliveries.skipped);
    measured.per(&mut report, ("publish", "publishes"), during.answered - before.answered);
    measured.per(&mut report, ("delivery", "deliveries"), during.received - before.received);
    report.latencies("delivery", &latency);
    report.latencies("answer", &answers);
    measured.shares(&mut report);
    Ok(report)
}

struct Totals {
    sent: usize,
    answered: usize,
    received: usize,
}

impl<'a> Broadcast<'a> {
    fn open(target: &'a Target, plan: &'a Plan) -> Result<Self> {
        let mut reactor = Reactor::new()?;
        let mut subscribers = Subscribers::connect(&mut reactor, target, plan.subscribers)?;
        subscribers.subscribe(&mut reactor, target, |_| std::iter::once(CHANNEL.to_owned()))?;
        // The more can be in flight, the more numbers are needed to tell events apart.
        let cycle = match plan.pace {
            Pace::Delivered(depth) => (4 * depth).clamp(32, 4096),
            Pace::Answered => 128,
            Pace::Rate(_) => 1024,
        };
        let publisher = |lane: usize| -> Result<Publisher> {
            let request = |sequence| {
                let id = Deliveries::id(lane, sequence);
                Request::new(CHANNEL, &marker::payload(id, plan.payload))
            };
            let token = plan.subscribers + lane;
            Ok(Publisher {
                lane: Lane::connect(target.publishing(lane), reactor.poll.registry(), token)?,
                requests: (0..cycle).map(request).collect(),
                sent: 0,
                answered: 0,
                delivered: 0,
            })
        };
        let publishers = (0..plan.lanes).map(publisher).collect::<Result<_>>()?;
        let now = Instant::now();
        Ok(Self {
            plan,
            target,
            reactor,
            subscribers,
            publishers,
            deliveries: Deliveries::new(plan.subscribers, plan.lanes, cycle),
            finder: Finder::default(),
            answers: histogram(),
            began: now,
            last_move: now,
        })
    }

    /// Publishes and receives until `end`.
    fn until(&mut self, end: Instant, progress: &mut Progress) -> Result<()> {
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            let due = self.publish(now)?;
            self.turn(end.min(progress.next()).min(due.unwrap_or(end)))?;
            progress.show(now, self.deliveries.received, "deliveries");
            if due.is_none() && self.last_move.elapsed() > PATIENCE {
                bail!("nothing has come for {PATIENCE:?}: {} deliveries missing", self.missing());
            }
        }
    }

    /// Receives, without publishing, until all is delivered and answered or nothing more comes.
    fn drain(&mut self) -> Result<()> {
        self.last_move = Instant::now();
        while self.missing() > 0 || self.totals().answered < self.totals().sent {
            if self.last_move.elapsed() > PATIENCE / 3 {
                break;
            }
            self.turn(Instant::now() + Duration::from_millis(100))?;
        }
        Ok(())
    }

    fn turn(&mut self, until: Instant) -> Result<()> {
        self.reactor.wait(until)?;
        let Self { reactor, subscribers, publishers, deliveries, finder, answers, .. } = self;
        for event in &reactor.events {
            let now = Instant::now();
            self.last_move = now;
            let Some(lane) = event.token().0.checked_sub(subscribers.len()) else {
                subscribers.ready(event, &mut reactor.buffer, |subscriber, frame| {
                    let complete =
                        finder.find(frame).and_then(|id| deliveries.record(subscriber, id, now));
                    if let Some(lane) = complete {
                        publishers[lane].delivered += 1;
                    }
                })?;
                continue;
            };
            let publisher = &mut publishers[lane];
            for _ in 0..publisher.lane.ready(event, &mut reactor.buffer)? {
                let sent = deliveries.sent_at(lane, publisher.answered);
                answers.saturating_record(micros(now.saturating_duration_since(sent)));
                publisher.answered += 1;
            }
        }
        Ok(())
    }

    /// Publishes what the pace asks for. Returns when an open loop's next event is due.
    fn publish(&mut self, now: Instant) -> Result<Option<Instant>> {
        if let Pace::Rate(rate) = self.plan.pace {
            return self.publish_due(now, rate).map(Some);
        }
        for lane in 0..self.publishers.len() {
            loop {
                let publisher = &self.publishers[lane];
                let wanted = match self.plan.pace {
                    Pace::Delivered(depth) => publisher.sent - publisher.delivered < depth,
                    Pace::Answered | Pace::Rate(_) => publisher.sent == publisher.answered,
                };
                let numbered = publisher.sent - publisher.answered < publisher.requests.len()
                    && self.deliveries.is_free(lane, publisher.sent);
                if !wanted || !numbered {
                    break;
                }
                self.send(lane, now, now);
            }
            self.publishers[lane].lane.flush()?;
        }
        Ok(None)
    }

    fn publish_due(&mut self, now: Instant, rate: f64) -> Result<Instant> {
        loop {
            let sent: usize = self.totals().sent;
            let intended = self.began + Duration::from_secs_f64(sent as f64 / rate);
            if intended > now {
                return Ok(intended);
            }
            let lane = sent % self.publishers.len();
            if !self.deliveries.is_free(lane, self.publishers[lane].sent) {
                bail!("the server cannot keep up with {rate} events/s");
            }
            self.send(lane, now, intended);
            self.publishers[lane].lane.flush()?;
        }
    }

    fn send(&mut self, lane: usize, now: Instant, intended: Instant) {
        let publisher = &mut self.publishers[lane];
        let sequence = publisher.sent % publisher.requests.len();
        let request = publisher.requests[sequence].bytes(self.target.publishing(lane), now);
        publisher.lane.queue(request);
        self.deliveries.sent(lane, publisher.sent, intended);
        publisher.sent += 1;
    }

    fn totals(&self) -> Totals {
        let sum = |of: fn(&Publisher) -> usize| self.publishers.iter().map(of).sum();
        Totals {
            sent: sum(|publisher| publisher.sent),
            answered: sum(|publisher| publisher.answered),
            received: self.deliveries.received,
        }
    }

    /// Deliveries that should have come and have not.
    fn missing(&self) -> usize {
        let once = self.deliveries.received - self.deliveries.repeated;
        (self.totals().sent * self.plan.subscribers).saturating_sub(once)
    }
}

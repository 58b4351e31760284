//! The loop of workloads that publish: publishers publish, subscribers receive, answers and
//! deliveries are timed. It must not know what is published, nor for whom: a [`Traffic`] does.

use super::timing::Timing;
use crate::client::marker::Finder;
use crate::client::publisher::Publisher;
use crate::client::subscribers::Subscribers;
use crate::meter::{Measured, Meter};
use crate::net::reactor::{Reactor, STALL_TIMEOUT};
use crate::progress::Progress;
use crate::server::process::Server;
use crate::server::target::LoadTarget;
use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Which events are published, and what becomes of them.
pub(super) trait Traffic {
    /// Publishes what is due. Returns when the next event will be, if that depends on time alone.
    fn publish(&mut self, publishers: &mut [Publisher], now: Instant) -> Result<Option<Instant>>;

    /// Counts that a subscriber was sent the event with this id. Returns when that was published,
    /// if it is known.
    fn delivered(&mut self, subscriber: usize, id: u32) -> Option<Instant>;

    /// Deliveries so far.
    fn received(&self) -> usize;

    /// Deliveries that should have come and have not.
    fn missing(&self) -> usize;
}

/// Publishers and subscribers of some traffic.
pub(super) struct Publishing<T> {
    pub(super) reactor: Reactor,
    pub(super) subscribers: Subscribers,
    publishers: Vec<Publisher>,
    pub(super) traffic: T,
    finder: Finder,
    answered: usize,
    answers: Histogram<u64>,
    deliveries: Histogram<u64>,
    last_progress: Instant,
}

/// What was measured while publishing.
pub(super) struct PublishOutcome {
    /// Time, and CPU.
    pub(super) measured: Measured,
    /// Publishes that were answered meanwhile.
    pub(super) answered: usize,
    /// Deliveries that came meanwhile.
    pub(super) received: usize,
    /// From each publish to its answer, in microseconds.
    pub(super) answers: Histogram<u64>,
    /// From each publish to its deliveries, in microseconds.
    pub(super) deliveries: Histogram<u64>,
}

impl<T: Traffic> Publishing<T> {
    /// Connects `publishers` beside the subscribers that there are.
    pub(super) fn connect(
        target: &LoadTarget,
        reactor: Reactor,
        subscribers: Subscribers,
        publishers: usize,
        traffic: T,
    ) -> Result<Self> {
        let publishers = Publisher::connect_all(target, &reactor, subscribers.len(), publishers)?;
        Ok(Self {
            reactor,
            subscribers,
            publishers,
            traffic,
            finder: Finder::default(),
            answered: 0,
            answers: histogram(),
            deliveries: histogram(),
            last_progress: Instant::now(),
        })
    }

    /// Publishes: for the warm-up, then for what is measured; then waits for the rest of the
    /// answers and deliveries, as long as some come.
    pub(super) fn measure(
        &mut self,
        label: &'static str,
        timing: Timing,
        server: &Server,
    ) -> Result<PublishOutcome> {
        let began = Instant::now();
        let mut progress = Progress::new(label);
        self.last_progress = began;
        self.publish_until(began + timing.warmup, &mut progress)?;
        self.answers.reset();
        self.deliveries.reset();
        let (answered, received) = (self.answered, self.traffic.received());
        let meter = Meter::start(server)?;
        self.publish_until(began + timing.warmup + timing.measured, &mut progress)?;
        let outcome = PublishOutcome {
            measured: meter.stop(server)?,
            answered: self.answered - answered,
            received: self.traffic.received() - received,
            answers: self.answers.clone(),
            deliveries: self.deliveries.clone(),
        };
        self.drain()?;
        Ok(outcome)
    }

    fn publish_until(&mut self, end: Instant, progress: &mut Progress) -> Result<()> {
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            let due = self.traffic.publish(&mut self.publishers, now)?;
            self.receive(end.min(progress.next()).min(due.unwrap_or(end)))?;
            progress.show(now, self.traffic.received(), "deliveries");
            if due.is_none() && self.last_progress.elapsed() > STALL_TIMEOUT {
                let missing = self.traffic.missing();
                bail!("nothing has come for {STALL_TIMEOUT:?}: {missing} deliveries missing");
            }
        }
    }

    /// Receives, without publishing, until all is delivered and answered or nothing more comes.
    fn drain(&mut self) -> Result<()> {
        self.last_progress = Instant::now();
        while self.traffic.missing() > 0 || self.publishers.iter().any(|one| one.outstanding() > 0)
        {
            if self.last_progress.elapsed() > STALL_TIMEOUT / 3 {
                break;
            }
            self.receive(Instant::now() + Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Waits until something has come, or `until`, and takes it in.
    fn receive(&mut self, until: Instant) -> Result<()> {
        self.reactor.wait(until)?;
        for event in &self.reactor.events {
            let now = Instant::now();
            self.last_progress = now;
            let buffer = &mut self.reactor.buffer;
            if let Some(publisher) = event.token().0.checked_sub(self.subscribers.len()) {
                self.publishers[publisher].ready(event, buffer, |sent| {
                    self.answered += 1;
                    self.answers.saturating_record(micros_since(sent, now));
                })?;
                continue;
            }
            self.subscribers.ready(event, buffer, |subscriber, frame| {
                let Some(id) = self.finder.find(frame) else { return };
                if let Some(sent) = self.traffic.delivered(subscriber, id) {
                    self.deliveries.saturating_record(micros_since(sent, now));
                }
            })?;
        }
        Ok(())
    }
}

/// An empty histogram of microseconds up to a minute, three digits exact.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("valid bounds"))
}

/// Whole microseconds, at least one: what [`histogram`] takes.
fn micros_since(sent: Instant, now: Instant) -> u64 {
    let time = now.saturating_duration_since(sent);
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

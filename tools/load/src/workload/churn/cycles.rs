//! All cycles: begun while there is room, driven until they are over, counted.

use super::Churn;
use super::cycle::{Cycle, Step};
use crate::client::marker::{self, Finder};
use crate::client::publisher::Publisher;
use crate::client::request::LoadRequest;
use crate::client::subscribers::Watchdog;
use crate::net::reactor::Reactor;
use crate::server::target::LoadTarget;
use anyhow::Result;
use std::time::{Duration, Instant};

/// Cycles on their way, and how many there have been.
pub(super) struct Cycles<'a> {
    options: &'a Churn,
    target: &'a LoadTarget,
    reactor: Reactor,
    running: Vec<Option<Cycle>>,
    publishers: Vec<Publisher>,
    finder: Finder,
    begun: usize,
    /// Cycles that are over.
    pub(super) done: usize,
    /// Events that were received by the cycle that they were for.
    pub(super) deliveries: usize,
    /// Publishes that were answered.
    pub(super) answered: usize,
}

impl<'a> Cycles<'a> {
    /// None yet.
    pub(super) fn new(
        options: &'a Churn,
        target: &'a LoadTarget,
        reactor: Reactor,
        publishers: Vec<Publisher>,
    ) -> Self {
        Self {
            options,
            target,
            reactor,
            running: (0..options.concurrency).map(|_| None).collect(),
            publishers,
            finder: Finder::default(),
            begun: 0,
            done: 0,
            deliveries: 0,
            answered: 0,
        }
    }

    /// Goes on until `total` cycles are done, or until `end` has come and the begun ones are.
    pub(super) fn run(&mut self, total: usize, end: Instant) -> Result<()> {
        let mut watchdog = Watchdog::new("churn");
        loop {
            let ending = Instant::now() >= end;
            for slot in 0..self.running.len() {
                if self.running[slot].is_none() && self.begun < total && !ending {
                    self.begin(slot)?;
                }
            }
            let answered = self.publishers.iter().all(|one| one.outstanding() == 0);
            if answered && self.running.iter().all(Option::is_none) {
                return Ok(());
            }
            self.proceed()?;
            watchdog.check(self.done, "cycles")?;
        }
    }

    fn begin(&mut self, slot: usize) -> Result<()> {
        let number = self.begun;
        self.begun += 1;
        let channel = self.options.channel(number, self.target);
        let mut cycle = Cycle::connect(self.target.node(number), number, channel)?;
        cycle.register(&self.reactor, slot)?;
        self.running[slot] = Some(cycle);
        Ok(())
    }

    /// Waits until something has come, and takes the steps that it allows.
    fn proceed(&mut self) -> Result<()> {
        self.reactor.wait(Instant::now() + Duration::from_secs(1))?;
        for event in &self.reactor.events {
            let (slot, buffer) = (event.token().0, &mut self.reactor.buffer);
            if let Some(publisher) = slot.checked_sub(self.running.len()) {
                self.publishers[publisher].ready(event, buffer, |_| self.answered += 1)?;
                continue;
            }
            let Some(cycle) = &mut self.running[slot] else { continue };
            let before = cycle.step;
            let open = cycle.ready(event, buffer, &mut self.finder, self.options)?;
            if before == Step::Subscribing && cycle.step == Step::Receiving {
                let at = slot % self.publishers.len();
                let data = marker::payload(cycle.id, marker::MIN_PAYLOAD);
                let mut request = LoadRequest::new(&cycle.channel, &data);
                let now = Instant::now();
                self.publishers[at].queue(request.bytes(self.target.publishing(at), now), now);
                self.publishers[at].flush()?;
            }
            if before == Step::Receiving && cycle.step == Step::Closing {
                self.deliveries += 1;
            }
            if !open {
                self.running[slot] = None;
                self.done += 1;
            }
        }
        Ok(())
    }
}

//! Partitions driven by a fake clock and targets that do as they are told.

mod bounds;
mod failures;
mod model;
mod order;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::{PartitionOutput, Partitions};
use crate::{Destination, Failure, Job, Now, Outcome, Settings};

type Answer = (Duration, Result<(), Failure>);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn down() -> Result<(), Failure> {
    Err(Failure::Unreachable("down".into()))
}

fn status(status: u16) -> Result<(), Failure> {
    Err(Failure::Status { status, retry_after: None })
}

fn job(host: &str, group: &str, size: usize) -> Job {
    Job {
        to: Destination::of_url("app", format!("http://{host}")).into(),
        group: group.into(),
        body: vec![b'x'; size].into(),
        events: 1,
        created_ms: 0,
    }
}

/// An attempt that was made.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    at: Now,
    host: String,
    group: String,
}

/// An attempt, and how it will end.
type UnderWay = (super::AttemptId, Job, Result<(), Failure>);

/// The partitions, a clock and the targets.
struct World<F> {
    partitions: Partitions<u32>,
    now: Now,
    target: F,
    /// By when they end.
    under_way: BTreeMap<(Now, u64), UnderWay>,
    made: Vec<Made>,
    rests: usize,
    recovered: usize,
    finished: Vec<(u32, Outcome)>,
    /// What the pauses' random half is made of.
    random: u32,
    most_under_way: usize,
}

impl<F: FnMut(Now, &Job) -> Answer> World<F> {
    fn new(settings: Settings, target: F) -> Self {
        World {
            partitions: Partitions::new(settings),
            now: Duration::ZERO,
            target,
            under_way: BTreeMap::new(),
            made: Vec::new(),
            rests: 0,
            recovered: 0,
            finished: Vec::new(),
            random: u32::MAX,
            most_under_way: 0,
        }
    }

    fn submit(&mut self, job: Job, tag: u32) {
        let mut out = Vec::new();
        self.partitions.submit(self.now, job, tag, &mut out);
        self.take(out);
    }

    /// Lets time pass, up to and including `until`.
    fn run(&mut self, until: Now) {
        loop {
            let ends = self.under_way.first_key_value().map(|((at, _), _)| *at);
            let next = ends.into_iter().chain(self.partitions.due()).min().unwrap_or(Now::MAX);
            if next > until {
                self.now = self.now.max(until);
                return;
            }
            self.now = self.now.max(next);
            let mut out = Vec::new();
            if ends.is_some_and(|at| at <= self.now)
                && let Some((_, (id, _, result))) = self.under_way.pop_first()
            {
                self.partitions.attempted(self.now, &id, result, self.random, &mut out);
            }
            self.partitions.tick(self.now, &mut out);
            assert!(
                self.partitions.due().is_none_or(|due| due > self.now),
                "an alarm is left behind"
            );
            self.take(out);
        }
    }

    /// Lets time pass until nothing more happens.
    fn run_out(&mut self) {
        self.run(Now::MAX - seconds(1));
        assert_eq!(self.partitions.len(), 0);
        assert_eq!(
            (self.partitions.bytes, self.partitions.in_flight, self.partitions.due()),
            (0, 0, None)
        );
        assert!(self.partitions.partitions.is_empty() && self.under_way.is_empty());
    }

    fn take(&mut self, out: Vec<PartitionOutput<u32>>) {
        for output in out {
            match output {
                PartitionOutput::Send { id, job } => {
                    let host = job.to.label.to_string();
                    self.made.push(Made { at: self.now, host, group: job.group.to_string() });
                    let (takes, result) = (self.target)(self.now, &job);
                    let key = (self.now + takes, id.number);
                    let same = self.under_way.values().filter(|(_, other, _)| {
                        other.group == job.group && other.to.partition == job.to.partition
                    });
                    assert_eq!(same.count(), 0, "two jobs of one group are under way");
                    self.under_way.insert(key, (id, (*job).clone(), result));
                    self.most_under_way = self.most_under_way.max(self.under_way.len());
                }
                PartitionOutput::Finished { tag, outcome, .. } => {
                    self.finished.push((tag, outcome))
                }
                PartitionOutput::Rests { .. } => self.rests += 1,
                PartitionOutput::Recovered { .. } => self.recovered += 1,
            }
        }
    }

    fn attempts_at(&self) -> Vec<u64> {
        self.made.iter().map(|made| made.at.as_secs()).collect()
    }

    fn delivered(&self) -> usize {
        self.finished.iter().filter(|(_, outcome)| *outcome == Outcome::Delivered).count()
    }

    /// The tags that were delivered, by group, in the order of their delivery.
    fn delivered_by<K: std::hash::Hash + Eq>(
        &self,
        group: impl Fn(u32) -> K,
    ) -> HashMap<K, Vec<u32>> {
        let mut groups = HashMap::<_, Vec<_>>::new();
        for (tag, outcome) in &self.finished {
            if *outcome == Outcome::Delivered {
                groups.entry(group(*tag)).or_default().push(*tag);
            }
        }
        groups
    }
}

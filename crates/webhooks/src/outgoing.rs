//! Happenings become jobs: one each, or gathered per app and target (K3).
//! Time is an argument. It must not know how jobs are sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;
use protocol::webhook;

use crate::{Destination, Happening, Job, Now, Routes};

/// Most events in one request (K3).
pub const MAX_EVENTS: usize = 20;

/// From this size of its events on, a gathered request is not made bigger, in bytes.
pub const MAX_BATCH_BYTES: usize = 200 << 10;

/// What all that is being gathered may take, in bytes; beyond it, everything is sent at once.
const MAX_GATHERED: usize = 16 << 20;

/// Makes jobs of what happens.
#[derive(Debug)]
pub struct Outgoing {
    /// For how long events are gathered into one request, if at all.
    gather: Option<Duration>,
    /// By the order of their beginning, which is the order in which they are due.
    batches: BTreeMap<u64, Batch>,
    /// The open batches of each partition; more than one if targets differ in their headers only.
    partitions: HashMap<Arc<str>, Vec<u64>>,
    begun: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Batch {
    to: Arc<Destination>,
    due: Now,
    events: Vec<String>,
    bytes: usize,
    at_ms: u64,
}

impl Outgoing {
    /// Gathers for `gather`, or not at all.
    pub fn new(gather: Option<Duration>) -> Self {
        let (batches, partitions) = (BTreeMap::new(), HashMap::default());
        Outgoing { gather, batches, partitions, begun: 0, bytes: 0 }
    }

    /// Something happened in the app that the routes are of. Appends the jobs that are complete.
    pub fn push(&mut self, now: Now, routes: &Routes, happening: &Happening, jobs: &mut Vec<Job>) {
        for to in routes.to(happening.kind, &happening.channel) {
            match self.gather {
                None => jobs.push(single(to, happening)),
                Some(gather) => self.gather(now + gather, to, happening, jobs),
            }
        }
        if self.bytes > MAX_GATHERED {
            self.flush(jobs);
        }
    }

    /// When something will be complete by itself.
    pub fn due(&self) -> Option<Now> {
        self.batches.first_key_value().map(|(_, batch)| batch.due)
    }

    /// Appends the jobs that were gathered for long enough.
    pub fn tick(&mut self, now: Now, jobs: &mut Vec<Job>) {
        while let Some((&id, batch)) = self.batches.first_key_value() {
            if batch.due > now {
                break;
            }
            self.complete(id, jobs);
        }
    }

    /// Appends everything that is being gathered.
    pub fn flush(&mut self, jobs: &mut Vec<Job>) {
        while let Some((&id, _)) = self.batches.first_key_value() {
            self.complete(id, jobs);
        }
    }

    fn gather(
        &mut self,
        due: Now,
        to: &Arc<Destination>,
        happening: &Happening,
        jobs: &mut Vec<Job>,
    ) {
        let size = happening.json.len() + 1;
        let mut open = self.open(to);
        if let Some(id) = open {
            let full = |batch: &Batch| batch.bytes + size > MAX_BATCH_BYTES;
            if self.batches.get(&id).is_some_and(full) {
                self.complete(id, jobs);
                open = None;
            }
        }
        let id = open.unwrap_or_else(|| {
            self.begun += 1;
            self.partitions.entry(to.partition.clone()).or_default().push(self.begun);
            self.begun
        });
        let batch = self.batches.entry(id).or_insert_with(|| Batch {
            to: to.clone(),
            due,
            events: Vec::new(),
            bytes: 0,
            at_ms: 0,
        });
        batch.events.push(happening.json.clone());
        batch.bytes += size;
        batch.at_ms = batch.at_ms.max(happening.at_ms);
        self.bytes += size;
        if batch.events.len() >= MAX_EVENTS {
            self.complete(id, jobs);
        }
    }

    /// What is being gathered for exactly this destination. An app that was read anew has new
    /// ones that are equal.
    fn open(&self, to: &Arc<Destination>) -> Option<u64> {
        let ids = self.partitions.get(&to.partition)?;
        let is_for = |batch: &Batch| Arc::ptr_eq(&batch.to, to) || batch.to == *to;
        ids.iter().copied().find(|id| self.batches.get(id).is_some_and(is_for))
    }

    fn complete(&mut self, id: u64, jobs: &mut Vec<Job>) {
        let Some(batch) = self.batches.remove(&id) else { return };
        self.bytes -= batch.bytes;
        if let Some(ids) = self.partitions.get_mut(&batch.to.partition) {
            ids.retain(|open| *open != id);
            if ids.is_empty() {
                self.partitions.remove(&batch.to.partition);
            }
        }
        // Whatever was gathered for a partition stays in order.
        let group = batch.to.partition.clone();
        jobs.push(job(&batch.to, group, batch.at_ms, &batch.events));
    }
}

/// An event that is sent on its own, in order with its channel's.
fn single(to: &Arc<Destination>, happening: &Happening) -> Job {
    job(to, happening.channel.clone(), happening.at_ms, std::slice::from_ref(&happening.json))
}

fn job(to: &Arc<Destination>, group: Arc<str>, at_ms: u64, events: &[String]) -> Job {
    Job {
        to: to.clone(),
        group,
        body: webhook::body(at_ms, events).into(),
        events: events.len().try_into().unwrap_or(u32::MAX),
        created_ms: at_ms,
    }
}

//! What is waiting to be sent, and when it may be. A state machine without IO: time and randomness
//! are arguments, every output is a value. It must not know how anything is sent.
//!
//! A *partition* is an app's target; a *group* is what arrives in order within it. The first job of a
//! group is sent, the others wait for it, whatever comes of it. So many jobs of different groups
//! are under way at once as the settings allow for a partition.
//!
//! **A job fails** and is sent again after a pause that doubles, until `retry_for` has passed since
//! its first attempt; then it is given up. Those that have waited behind it for longer than that
//! get one attempt.
//!
//! **A partition fails** if nobody is there, or if [`REST_AFTER`] attempts in a row have failed. It rests
//! as a whole: after each pause one job is sent to see whether the target is back. What has waited
//! for `retry_for` meanwhile is given up.
//!
//! **Bounded**: what waits, in bytes, per partition and in all; and the requests, per partition and in all.
//! Partitions for which no request is left take turns.

mod alarms;
mod partition;
mod pause;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use self::alarms::Alarms;
use self::partition::{NextJob, Partition};
use crate::{Destination, Failure, Job, Now, Outcome, Reason, Settings};

/// After so many failures in a row a partition rests. A target that answers may dislike but one job.
pub(crate) const REST_AFTER: u32 = 8;

/// Jobs of a partition that are taken in at most from a queue: more would only wait here rather than
/// there, where another node can take them over.
const ROOM: usize = 64;

/// Room for a job is room for so many bytes. A gathered body has few more.
const ROOM_BYTES: usize = 256 << 10;

/// Names a job under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AttemptId {
    pub(crate) partition: Arc<str>,
    pub(crate) number: u64,
}

/// What is to be done. `T` came with the job.
#[derive(Debug)]
pub(crate) enum PartitionOutput<T> {
    /// Send this job and tell what came of it.
    Send { id: AttemptId, job: Arc<Job> },
    /// The job is no longer held.
    Finished { job: Arc<Job>, tag: T, outcome: Outcome },
    /// A partition has begun to rest.
    Rests { to: Arc<Destination>, failure: Failure },
    /// A partition that rested has seen its target again.
    Recovered { to: Arc<Destination> },
}

/// What waits in a partition.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) to: Arc<Destination>,
    pub(crate) jobs: usize,
    pub(crate) bytes: usize,
    /// For how long the oldest job has been here.
    pub(crate) oldest: Duration,
}

/// All partitions of this process.
#[derive(Debug)]
pub(crate) struct Partitions<T> {
    settings: Settings,
    partitions: HashMap<Arc<str>, Partition<T>>,
    alarms: Alarms,
    /// Partitions that could send if there were a request left, each once.
    hungry: VecDeque<Arc<str>>,
    in_flight: usize,
    bytes: usize,
    taken: u64,
    last_call: bool,
}

impl<T> Partitions<T> {
    pub(crate) fn new(settings: Settings) -> Self {
        Partitions {
            settings,
            partitions: HashMap::default(),
            alarms: Alarms::default(),
            hungry: VecDeque::new(),
            in_flight: 0,
            bytes: 0,
            taken: 0,
            last_call: false,
        }
    }

    /// Takes a job in, or gives it up at once if there is no room.
    pub(crate) fn submit(&mut self, now: Now, job: Job, tag: T, out: &mut Vec<PartitionOutput<T>>) {
        let (weight, key) = (job.weight(), job.partition().clone());
        let job = Arc::new(job);
        let in_partition = self.partitions.get(&key).map_or(0, Partition::bytes);
        if self.bytes + weight > self.settings.max_pending
            || in_partition + weight > self.settings.partition_pending()
        {
            out.push(PartitionOutput::Finished {
                job,
                tag,
                outcome: Outcome::GivenUp(Reason::Full),
            });
            return;
        }
        self.bytes += weight;
        self.taken += 1;
        let partition = self.partitions.entry(key.clone()).or_insert_with(Partition::new);
        partition.take(self.taken, now, job, tag, weight);
        self.settle(now, &key, out);
    }

    /// An attempt is over. `random` is any number.
    pub(crate) fn attempted(
        &mut self,
        now: Now,
        id: &AttemptId,
        result: Result<(), Failure>,
        random: u32,
        out: &mut Vec<PartitionOutput<T>>,
    ) {
        let Some(partition) = self.partitions.get_mut(&id.partition) else { return };
        let Some(bytes) = partition.attempted(
            now,
            id.number,
            result,
            &partition::Rules { settings: &self.settings, random, last_call: self.last_call },
            out,
        ) else {
            return;
        };
        self.bytes -= bytes;
        self.in_flight -= 1;
        // A request is free: first for those that have waited for one.
        while self.in_flight < self.settings.requests
            && let Some(next) = self.hungry.pop_front()
        {
            if let Some(partition) = self.partitions.get_mut(&next) {
                partition.hungry = false;
            }
            self.settle(now, &next, out);
        }
        self.settle(now, &id.partition, out);
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Now, out: &mut Vec<PartitionOutput<T>>) {
        while let Some(key) = self.alarms.due(now) {
            self.settle(now, &key, out);
        }
    }

    /// When [`tick`](Self::tick) is to be called at the latest.
    pub(crate) fn due(&self) -> Option<Now> {
        self.alarms.first()
    }

    /// Everything is tried once more right away, and nothing after that.
    pub(crate) fn last_call(&mut self, now: Now, out: &mut Vec<PartitionOutput<T>>) {
        self.last_call = true;
        let keys: Vec<_> = self.partitions.keys().cloned().collect();
        for key in keys {
            if let Some(partition) = self.partitions.get_mut(&key) {
                partition.wake();
            }
            self.settle(now, &key, out);
        }
    }

    /// How many jobs are held.
    pub(crate) fn len(&self) -> usize {
        self.partitions.values().map(Partition::len).sum()
    }

    /// How many attempts are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many more jobs of a partition can be taken in now. A partition that rests takes no more than it
    /// would have under way: whatever it takes may be given up here, and is safer where it is.
    pub(crate) fn room(&self, partition: &str) -> usize {
        let (jobs, bytes, most) = match self.partitions.get(partition) {
            None => (0, 0, ROOM),
            Some(partition) if partition.rests() => {
                (partition.len(), partition.bytes(), self.settings.requests_per_partition)
            }
            Some(partition) => (partition.len(), partition.bytes(), ROOM),
        };
        let free = usize::min(
            self.settings.partition_pending().saturating_sub(bytes),
            self.settings.max_pending.saturating_sub(self.bytes),
        );
        usize::min(most.saturating_sub(jobs), free / ROOM_BYTES)
    }

    /// What waits, partition by partition.
    pub(crate) fn pending(&self, now: Now) -> impl Iterator<Item = Pending> {
        self.partitions.values().filter_map(move |partition| partition.pending(now))
    }

    /// Sends what a partition may send, gives up what it must, and sets its alarm.
    fn settle(&mut self, now: Now, key: &Arc<str>, out: &mut Vec<PartitionOutput<T>>) {
        let Some(partition) = self.partitions.get_mut(key) else { return };
        if !self.last_call {
            self.bytes -= partition.expire(now, &self.settings, out);
        }
        while partition.may_send(now, &self.settings) {
            if self.in_flight >= self.settings.requests {
                if !std::mem::replace(&mut partition.hungry, true) {
                    self.hungry.push_back(key.clone());
                }
                break;
            }
            let Some(NextJob { number, job }) = partition.send(now) else { break };
            self.in_flight += 1;
            out.push(PartitionOutput::Send {
                id: AttemptId { partition: key.clone(), number },
                job,
            });
        }
        let over = partition.len() == 0;
        let alarm = partition.alarm(now, &self.settings).filter(|_| !over && !self.last_call);
        self.alarms.set(key, &mut partition.alarm, alarm);
        if over {
            self.partitions.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;

//! Into the queue.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use redis::cmd;

use super::script::{ANNOUNCE, PUSH};
use super::{AT_ONCE, RedisQueue};
use crate::counters::count;
use crate::many::many;
use crate::{Job, PushError, QueueError};

/// How many jobs, and how many bytes of them, go into one call.
const CALL: (usize, usize) = (128, 512 << 10);
/// How long a lane is on its way to the worker that was given it, in ms; a lane that still nobody
/// reads after that is given to a worker once more.
const ON_ITS_WAY: u64 = 2000;

/// How many lanes may wait to be announced.
const UNANNOUNCED: usize = 10_000;
/// How many of them are announced in one call.
const ANNOUNCED: usize = 1000;

impl RedisQueue {
    pub(crate) async fn push(self: &Arc<Self>, jobs: Vec<Job>) -> Result<(), PushError> {
        let mut lanes: HashMap<String, Vec<Job>> = HashMap::new();
        for job in jobs {
            match lanes.get_mut(&job.lane) {
                Some(jobs) => jobs.push(job),
                None => drop(lanes.insert(job.lane.clone(), vec![job])),
            }
        }
        let of_lane = |(lane, jobs)| {
            let queue = self.clone();
            async move { queue.push_lane(lane, jobs).await }
        };
        let pushed = PushError::of_all(many(AT_ONCE, lanes.into_iter().map(of_lane)).await);
        self.announce().await;
        pushed
    }

    /// One call after the other, so that they are in order.
    async fn push_lane(&self, lane: String, mut jobs: Vec<Job>) -> Result<(), PushError> {
        let keys = self.keys.lane(&lane);
        let limit = self.limit.to_string();
        while !jobs.is_empty() {
            let (mut arguments, mut bytes, mut these) = (vec![limit.as_bytes()], 0, 0);
            for job in jobs.iter().take(CALL.0) {
                if bytes >= CALL.1 {
                    break;
                }
                bytes += job.payload.len();
                these += 1;
                arguments.extend([job.group.as_bytes(), &job.payload]);
            }
            let call = PUSH.call(&keys, arguments);
            let answer = self.link.run::<(usize, Option<String>)>(call).await;
            let reason = match answer {
                Ok((added, reader)) => {
                    count(&self.link.tally.pushed, added);
                    jobs.drain(..added.min(these));
                    match reader {
                        None => self.unannounced(&lane),
                        // It waits to be woken; without a name it will come across the jobs.
                        Some(worker) if !worker.is_empty() => self.wake(&worker, &lane).await,
                        Some(_) => {}
                    }
                    if added == these {
                        continue;
                    }
                    count(&self.link.tally.refused, jobs.len());
                    QueueError::Full { limit: self.limit }
                }
                Err(reason) => reason,
            };
            return Err(PushError { jobs, reason });
        }
        Ok(())
    }

    /// Nobody reads this lane, which has jobs. If this process ends before it could say so, they wait
    /// for the next push to the lane.
    fn unannounced(&self, lane: &str) {
        let mut lanes = self.unannounced.lock();
        if lanes.len() < UNANNOUNCED && !lanes.contains(lane) {
            lanes.insert(lane.into());
        }
    }

    /// Says which lanes nobody reads. What cannot be said now is said the next time.
    pub(super) async fn announce(&self) {
        let lanes: HashSet<String> =
            self.unannounced.lock().iter().take(ANNOUNCED).cloned().collect();
        if lanes.is_empty() {
            return;
        }
        let announced: Vec<&String> = lanes.iter().collect();
        let call = ANNOUNCE.call(&self.keys.all, (ON_ITS_WAY, announced));
        let Ok(wanted) = self.link.run::<Vec<String>>(call).await else { return };
        self.unannounced.lock().retain(|lane| !lanes.contains(lane));
        for worker in wanted {
            self.wake(&worker, "").await;
        }
    }

    /// Tells a worker that a lane has jobs, or, without a lane, that there are lanes to be had. It
    /// finds out by itself if this does not arrive.
    pub(super) async fn wake(&self, worker: &str, lane: &str) {
        let wake = self.keys.wake(worker);
        let _ = self.link.call::<()>(cmd("PUBLISH").arg(wake).arg(lane)).await;
    }
}

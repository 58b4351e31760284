//! A job in hand.

use std::fmt;
use std::sync::Arc;

use crate::Job;
use crate::job_buffer::JobBuffer;
use crate::scheduler::{HandoutId, Held};

/// A job that was handed out. Dropped without [`done`](Delivery::done), it is handed out again: after
/// a second by this worker, or by another one if this one is dead.
#[must_use = "a job that is dropped is handed out again"]
pub struct Delivery {
    /// The job.
    pub job: Job,
    partition: Box<str>,
    handout: HandoutId,
    before: u32,
    buffer: Arc<JobBuffer>,
    done: bool,
}

impl Delivery {
    pub(crate) fn new(held: Held, buffer: Arc<JobBuffer>) -> Self {
        let partition = held.job.partition.as_str().into();
        let Held { handout, job, before } = held;
        Delivery { job, partition, handout, before, buffer, done: false }
    }

    /// How often it was handed out before. In Redis, whatever other workers did with it counts as
    /// once; in SQS, having been put off for want of room counts, too.
    pub fn handed_out_before(&self) -> u32 {
        self.before
    }

    /// It is done, whatever came of it: never handed out again. The queue is told in the background,
    /// so if this worker dies in that moment, another one does it once more.
    pub fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.buffer.settle(&self.partition, self.handout, self.done);
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("job", &self.job).field("before", &self.before).finish()
    }
}

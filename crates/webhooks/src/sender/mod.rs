//! The driver of the partitions: clock, randomness, tasks, counters and the log around them.
//!
//! All state is behind one lock that is never held for long, and never while anything is awaited. One
//! task does what the partitions' outputs say; each attempt is a task of its own.

mod attempt;
mod log;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use self::attempt::{Attempt, TargetTransport};

use self::log::Log;
use crate::counters::{TargetCounters, WebhookCounters};
use crate::partitions::{PartitionOutput, Partitions};
use crate::{BoxFuture, Credentials, Failure, Job, Now, Outcome, Settings, SettingsError};

/// Makes attempts.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Makes one attempt. Ends by itself, in time.
    fn attempt<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<(), Failure>>;
}

type Done = Box<dyn FnOnce(Outcome) + Send>;

/// Sends jobs until they arrive or are given up. Dropping it ends everything that is under way.
#[derive(Debug)]
pub struct Sender {
    shared: Arc<SenderShared>,
    driver: JoinHandle<()>,
}

struct SenderShared {
    state: Mutex<SenderState>,
    /// There are outputs, or an earlier alarm.
    wake: Notify,
    /// Outputs were dealt with.
    dealt: Notify,
    epoch: Instant,
    transport: Box<dyn Transport>,
    log: Log,
}

struct SenderState {
    partitions: Partitions<Done>,
    out: Vec<PartitionOutput<Done>>,
    counters: WebhookCounters,
}

impl Sender {
    /// Starts to send, by tasks of the tokio runtime that this is called on, of whichever kind.
    ///
    /// # Errors
    /// If the settings name a file that cannot be used.
    pub fn new(
        settings: Settings,
        credentials: Arc<dyn Credentials>,
    ) -> Result<Self, SettingsError> {
        let delivery = TargetTransport::new(&settings, credentials)?;
        Ok(Self::with(settings, Box::new(delivery)))
    }

    fn with(settings: Settings, transport: Box<dyn Transport>) -> Self {
        let state = SenderState {
            partitions: Partitions::new(settings),
            out: Vec::new(),
            counters: WebhookCounters::default(),
        };
        let shared = Arc::new(SenderShared {
            state: Mutex::new(state),
            wake: Notify::new(),
            dealt: Notify::new(),
            epoch: Instant::now(),
            transport,
            log: Log::default(),
        });
        let driver = tokio::spawn(drive(shared.clone()));
        Sender { shared, driver }
    }

    /// Takes a job in, from any thread. If too much is waiting, it is given up at once. `done` is
    /// called once, on the driver's task, with what came of the job; it is dropped uncalled if the
    /// sender ends before.
    pub fn submit(&self, job: Job, done: impl FnOnce(Outcome) + Send + 'static) {
        let now = self.shared.now();
        let SenderState { partitions, out, .. } = &mut *self.shared.state.lock();
        partitions.submit(now, job, Box::new(done), out);
        if !out.is_empty() {
            self.shared.wake.notify_one();
        }
    }

    /// How many more jobs of a partition can be taken in now without giving one up, for whoever takes
    /// jobs out of a queue: few, so that what does not get along waits there, and fewer while the
    /// partition's target fails.
    pub fn room(&self, partition: &str) -> usize {
        self.shared.state.lock().partitions.room(partition)
    }

    /// Everything counted so far, and what waits now, in no order.
    pub fn counters(&self) -> Vec<TargetCounters> {
        let now = self.shared.now();
        let SenderState { partitions, counters, .. } = &mut *self.shared.state.lock();
        counters.clear_pending();
        for pending in partitions.pending(now) {
            let series = counters.of(&pending.to);
            series.pending_jobs += pending.jobs;
            series.pending_bytes += pending.bytes;
            series.oldest = series.oldest.max(pending.oldest);
        }
        counters.all()
    }

    /// Tries everything once more right away, and what fails then, or is submitted to a target
    /// that has failed, not again: the sender is at its end. Returns how many jobs are left when
    /// nothing is under way any more, or when `within` has passed; their `done` was not called.
    pub async fn flush(&self, within: Duration) -> usize {
        let now = self.shared.now();
        {
            let SenderState { partitions, out, .. } = &mut *self.shared.state.lock();
            partitions.last_call(now, out);
        }
        self.shared.wake.notify_one();
        let quiet = async {
            loop {
                let dealt = self.shared.dealt.notified();
                if self.shared.is_quiet() {
                    return;
                }
                dealt.await;
            }
        };
        // Over time, what is left is left.
        let _ = timeout(within, quiet).await;
        self.shared.state.lock().partitions.len()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl SenderShared {
    fn now(&self) -> Now {
        self.epoch.elapsed()
    }

    fn is_quiet(&self) -> bool {
        let state = self.state.lock();
        state.partitions.in_flight() == 0 && state.out.is_empty()
    }
}

impl std::fmt::Debug for SenderShared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

async fn drive(shared: Arc<SenderShared>) {
    let mut attempts = JoinSet::new();
    loop {
        let (outputs, due) = {
            let SenderState { partitions, out, .. } = &mut *shared.state.lock();
            partitions.tick(shared.now(), out);
            (std::mem::take(out), partitions.due())
        };
        for output in outputs {
            match output {
                PartitionOutput::Send { id, job } => {
                    attempts.spawn(Attempt::new(shared.clone(), id, job).make());
                }
                PartitionOutput::Finished { job, tag, outcome } => {
                    shared.state.lock().counters.of(&job.to).finished(job.events, &outcome);
                    shared.log.finished(&job, &outcome);
                    // With nothing locked, for it may come back with another job.
                    tag(outcome);
                }
                PartitionOutput::Rests { to, failure } => shared.log.rests(&to, &failure),
                PartitionOutput::Recovered { to } => shared.log.recovered(&to),
            }
        }
        shared.dealt.notify_waiters();
        let alarm = async {
            match due {
                Some(at) => sleep_until(shared.epoch + at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.wake.notified() => {}
            () = alarm => {}
            Some(_) = attempts.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests;

//! One attempt, which is over whatever becomes of it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{SenderShared, SenderState};
use crate::partitions::AttemptId;
use crate::{Failure, Job};

/// An attempt under way. If it is dropped, it has failed.
pub(super) struct Attempt {
    shared: Arc<SenderShared>,
    ticket: Option<AttemptId>,
    job: Arc<Job>,
    since: Instant,
}

impl Attempt {
    pub(super) fn new(shared: Arc<SenderShared>, ticket: AttemptId, job: Arc<Job>) -> Self {
        Attempt { shared, ticket: Some(ticket), job, since: Instant::now() }
    }

    pub(super) async fn make(mut self) {
        let result = self.shared.transport.attempt(&self.job).await;
        self.end(result);
    }

    fn end(&mut self, result: Result<(), Failure>) {
        let Some(ticket) = self.ticket.take() else { return };
        // Without randomness the pauses are only less even.
        let random = getrandom::u32().unwrap_or_default();
        let (now, took) = (self.shared.now(), self.since.elapsed());
        let SenderState { partitions, out, counters, .. } = &mut *self.shared.state.lock();
        counters.of(&self.job.to).attempted(took, &result);
        partitions.attempted(now, &ticket, result, random, out);
        self.shared.wake.notify_one();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.end(Err(Failure::Unreachable("the attempt broke off".into())));
    }
}

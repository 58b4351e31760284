//! Into the queue, ten messages at a time.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;

use super::message::{body, message_group, unique};
use super::{BATCH, MAX_CALLS, SqsQueue};
use crate::counters::count;
use crate::many::many;
use crate::{Job, PushError, QueueError};

/// The bytes of one message, at most, by the documentation of SQS.
const MESSAGE: usize = 1 << 20;
/// The bytes of the messages of one call. SQS takes more by now, but others that speak its protocol
/// do not; a message that is larger goes alone.
const CALL: usize = 256 << 10;

/// A job on its way.
struct OutgoingJob {
    job: Job,
    group: String,
    body: String,
}

impl SqsQueue {
    pub(crate) async fn push(self: &Arc<Self>, jobs: Vec<Job>) -> Result<(), PushError> {
        // What is of one group stays in one row, in order; the rows do not wait for each other.
        let mut rows: Vec<Vec<OutgoingJob>> = (0..MAX_CALLS).map(|_| Vec::new()).collect();
        let mut too_large = Vec::new();
        for job in jobs {
            let (group, body) = (message_group(&job), body(&job));
            if body.len() > MESSAGE {
                too_large.push(job);
                continue;
            }
            let row = usize::from(group.as_bytes()[0]) % rows.len();
            rows[row].push(OutgoingJob { job, group, body });
        }
        count(&self.tally.refused, too_large.len());
        let send = |row: Vec<OutgoingJob>| {
            let queue = self.clone();
            async move { queue.send(row).await }
        };
        let rows = rows.into_iter().filter(|row| !row.is_empty());
        match PushError::of_all(many(MAX_CALLS, rows.map(send)).await) {
            // What is too large will not be any smaller later, so the caller hears of it when it is
            // all that is left.
            Ok(()) if too_large.is_empty() => Ok(()),
            Ok(()) => {
                let reason = QueueError::TooLarge { limit: MESSAGE };
                Err(PushError { jobs: too_large, reason })
            }
            Err(mut error) => {
                error.jobs.extend(too_large);
                Err(error)
            }
        }
    }

    /// One call after the other. When a message is not in, nothing more of its group is sent.
    async fn send(&self, row: Vec<OutgoingJob>) -> Result<(), PushError> {
        let (mut left, mut stuck, mut reason) = (Vec::new(), HashSet::new(), None);
        let mut row = row.into_iter().peekable();
        while row.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some(next) = row.peek() {
                let full = batch.len() == BATCH || bytes + next.body.len() > CALL;
                if full && !batch.is_empty() {
                    break;
                }
                bytes += next.body.len();
                let Some(next) = row.next() else { break };
                if stuck.contains(&next.group) {
                    left.push(next.job);
                } else {
                    batch.push(next);
                }
            }
            if batch.is_empty() {
                continue;
            }
            let failed = match self.send_batch(&batch).await {
                Ok(failed) => failed,
                Err(error) => {
                    // Why try the rest?
                    left.extend(batch.into_iter().chain(row).map(|outgoing| outgoing.job));
                    return Err(PushError { jobs: left, reason: error });
                }
            };
            count(&self.tally.pushed, batch.len() - failed.len());
            for (at, outgoing) in batch.into_iter().enumerate() {
                if let Some((_, why)) = failed.iter().find(|(failed, _)| *failed == at) {
                    reason = Some(QueueError::Refused(why.clone()));
                    stuck.insert(outgoing.group);
                    left.push(outgoing.job);
                }
            }
        }
        match reason {
            None => Ok(()),
            Some(reason) => Err(PushError { jobs: left, reason }),
        }
    }

    /// Which of them are not in, and why.
    async fn send_batch(&self, batch: &[OutgoingJob]) -> Result<Vec<(usize, String)>, QueueError> {
        let entry = |(at, outgoing): (usize, &OutgoingJob)| {
            let mut entry = Entry::builder().id(at.to_string()).message_body(&outgoing.body);
            if self.options.fifo {
                // Without an id of its own, a job that is like an earlier one would be dropped.
                entry = entry.message_group_id(&outgoing.group).message_deduplication_id(unique());
            }
            entry.build().map_err(|error| QueueError::Refused(error.to_string()))
        };
        let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        let call = self.client.sqs().await.send_message_batch().queue_url(&self.options.url);
        let answer = self.client.judge(call.set_entries(Some(entries)).send().await)?;
        let failed = answer.failed().iter().filter_map(|failed| {
            let why = failed.message().unwrap_or_default();
            Some((failed.id().parse().ok()?, format!("{}: {why}", failed.code())))
        });
        Ok(failed.collect())
    }
}

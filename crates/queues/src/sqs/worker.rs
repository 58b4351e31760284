//! Out of the queue: the task that brings messages to the buffer, keeps them hidden while they are there,
//! and deletes those whose jobs are done.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::Message as Received;
use failures::Backoff;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::message::{handout, job};
use super::messages::{HIDDEN, Messages, put_off};
use super::{BATCH, MAX_CALLS, SqsQueue};
use crate::QueueError;
use crate::backoff;
use crate::counters::count;
use crate::job_buffer::JobBuffer;
use crate::many::many;
use crate::scheduler::{HandoutId, Held};

/// How many messages a worker has at most.
const MESSAGES: usize = 1024;
/// How many messages it has at most while more than one poll is under way.
const SOME: usize = 64;
/// How long what is done waits for more, to be deleted with it.
const GATHER: Duration = Duration::from_millis(20);
/// How often messages are looked over that may have to be hidden anew.
const ROUND: Duration = Duration::from_secs(1);
/// How long saying goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long polls that are under way may still answer, when the worker stops.
const LAST_POLLS: Duration = Duration::from_millis(250);
/// For how long a message is put off that is no job.
const FOREIGN: Duration = Duration::from_secs(900);

/// Serves the buffer until it is told to stop, or nobody can tell it any more; then leaves everything
/// to others.
pub(crate) async fn work(
    queue: Arc<SqsQueue>,
    buffer: Arc<JobBuffer>,
    mut stop: oneshot::Receiver<()>,
) {
    let now = Instant::now();
    let mut worker = SqsWorker {
        queue,
        buffer,
        messages: Messages::default(),
        done: Vec::new(),
        delete_at: None,
        polls: JoinSet::new(),
        wanted_polls: 1,
        poll_at: now,
        backoff: backoff(),
        calls: JoinSet::new(),
        round_at: now + ROUND,
    };
    loop {
        worker.go_on();
        let due = worker.due();
        tokio::select! {
            Some(Ok(polled)) = worker.polls.join_next() => worker.polled(polled),
            Some(Ok(ended)) = worker.calls.join_next() => worker.ended(ended),
            () = worker.buffer.taken.notified() => {}
            () = sleep_until(due) => {}
            _ = &mut stop => break,
        }
    }
    worker.buffer.close();
    let _ = timeout(CLOSE_TIMEOUT, worker.goodbye()).await;
}

/// A call that has ended.
enum Ended {
    /// Deleted, or to be deleted once more.
    Delete(Vec<HandoutId>, Result<(), QueueError>),
    Other,
}

/// Owned by its task.
struct SqsWorker {
    queue: Arc<SqsQueue>,
    buffer: Arc<JobBuffer>,
    messages: Messages,
    /// To be deleted.
    done: Vec<HandoutId>,
    delete_at: Option<Instant>,
    polls: JoinSet<Result<Vec<Received>, QueueError>>,
    /// More than one as long as polls find as much as they can bring.
    wanted_polls: usize,
    poll_at: Instant,
    backoff: Backoff,
    calls: JoinSet<Ended>,
    round_at: Instant,
}

impl SqsWorker {
    /// When there is something to do even if nothing happens.
    fn due(&self) -> Instant {
        let mut due = self.round_at;
        if let Some(at) = self.delete_at {
            due = due.min(at);
        }
        if self.wants_poll() {
            due = due.min(self.poll_at);
        }
        due
    }

    fn wants_poll(&self) -> bool {
        let coming = self.polls.len() * self.queue.options.batch as usize;
        let most = if self.polls.is_empty() { MESSAGES } else { SOME };
        self.polls.len() < self.wanted_polls && self.messages.len() + coming < most
    }

    /// Begins what can be begun.
    fn go_on(&mut self) {
        let now = Instant::now();
        let done = self.buffer.scheduler.lock().take_done();
        self.done.extend(done.into_iter().map(|(_, handout)| handout));
        if self.delete_at.is_none() && !self.done.is_empty() {
            self.delete_at = Some(now + GATHER);
        }
        let is_time = self.delete_at.is_some_and(|at| at <= now) || self.done.len() >= BATCH;
        if is_time && self.calls.len() < MAX_CALLS {
            self.delete_at = None;
            self.delete();
        }
        while self.poll_at <= now && self.wants_poll() {
            let queue = self.queue.clone();
            self.polls.spawn(async move { poll(&queue).await });
        }
        if self.round_at <= now {
            self.round_at = now + ROUND;
            let receipts = self.messages.hide_again(now.into_std());
            self.hide(receipts.into_iter().map(|receipt| (receipt, HIDDEN)).collect());
        }
    }

    fn delete(&mut self) {
        let count = self.done.len().min(BATCH);
        let handouts: Vec<HandoutId> = self.done.drain(..count).collect();
        let with_receipt = |handout: &HandoutId| Some((*handout, self.messages.receipt(*handout)?));
        let batch: Vec<_> = handouts.iter().filter_map(with_receipt).collect();
        let queue = self.queue.clone();
        if !batch.is_empty() {
            self.calls.spawn(async move {
                let receipts = batch.iter().map(|(_, receipt)| receipt.clone()).collect();
                let answer = queue.delete(receipts).await;
                Ended::Delete(batch.into_iter().map(|(handout, _)| handout).collect(), answer)
            });
        }
    }

    /// Hides messages for so long, from now on.
    fn hide(&mut self, receipts: Vec<(String, Duration)>) {
        if receipts.is_empty() {
            return;
        }
        let queue = self.queue.clone();
        self.calls.spawn(async move {
            hide_all(&queue, receipts).await;
            Ended::Other
        });
    }

    fn polled(&mut self, polled: Result<Vec<Received>, QueueError>) {
        let now = Instant::now();
        let received = match polled {
            Ok(received) => received,
            Err(error) => {
                if let QueueError::Refused(why) = &error {
                    self.queue.complain(why);
                }
                self.wanted_polls = 1;
                self.poll_at = now + self.backoff.pause();
                return;
            }
        };
        self.backoff.reset();
        if received.len() == self.queue.options.batch as usize {
            self.wanted_polls = (self.wanted_polls + 1).min(MAX_CALLS);
        } else {
            self.wanted_polls = 1;
        }
        if received.is_empty() {
            self.poll_at = now + self.queue.options.pause;
        }
        self.bring(received, now);
    }

    fn bring(&mut self, received: Vec<Received>, now: Instant) {
        let (mut off, mut groups_off) = (Vec::new(), HashSet::new());
        for message in received {
            let (Some(id), Some(receipt)) = (message.message_id, message.receipt_handle) else {
                continue;
            };
            let Some(job) = message.body.as_deref().and_then(job) else {
                self.queue.complain("a message is no job; it is left where it is");
                off.push((receipt, FOREIGN));
                continue;
            };
            let counted = message.attributes.as_ref().and_then(|attributes| {
                let name = aws_sdk_sqs::types::MessageSystemAttributeName::ApproximateReceiveCount;
                attributes.get(&name)?.parse().ok()
            });
            let received: u32 = counted.unwrap_or(1);
            let (handout, partition) = (handout(&id), job.partition.clone());
            let group = (partition.clone(), job.group.clone());
            let known = self.messages.receipt(handout).is_some();
            if !known && (groups_off.contains(&group) || !self.buffer.takes_in(&partition)) {
                // What follows in its group must not overtake it.
                groups_off.insert(group);
                off.push((receipt, put_off(received)));
                continue;
            }
            self.messages.received(handout, &partition, receipt, now.into_std());
            let before = received.saturating_sub(1);
            if self.buffer.bring(|scheduler| scheduler.put(Held { handout, job, before }))
                && before > 0
            {
                count(&self.buffer.tally.taken_over, 1);
            }
        }
        self.hide(off);
    }

    fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Delete(handouts, Err(QueueError::Away(_))) => {
                self.done.extend(handouts);
                self.delete_at = Some(Instant::now() + self.backoff.pause());
            }
            // If it was refused, it comes again, and whoever did it once does it twice.
            Ended::Delete(handouts, _) => {
                let mut scheduler = self.buffer.scheduler.lock();
                for handout in handouts {
                    if let Some(partition) = self.messages.remove(handout) {
                        scheduler.forget(&partition, &[handout]);
                    }
                }
            }
            Ended::Other => {}
        }
    }

    /// Deletes what is done, and shows everything else to others.
    async fn goodbye(&mut self) {
        self.done.extend(
            self.buffer.scheduler.lock().take_done().into_iter().map(|(_, handout)| handout),
        );
        while !self.done.is_empty() {
            self.delete();
        }
        while let Some(ended) = self.calls.join_next().await {
            if let Ok(Ended::Delete(handouts, Ok(()))) = ended {
                for handout in handouts {
                    self.messages.remove(handout);
                }
            }
        }
        // What a poll brings after this is hidden from everybody for its time.
        let mut all = self.messages.receipts();
        let last_polls = async {
            while let Some(polled) = self.polls.join_next().await {
                let received = polled.ok().and_then(Result::ok).unwrap_or_default();
                all.extend(received.into_iter().filter_map(|message| message.receipt_handle));
            }
        };
        let _ = timeout(LAST_POLLS, last_polls).await;
        self.polls.shutdown().await;
        hide_all(&self.queue, all.into_iter().map(|receipt| (receipt, Duration::ZERO)).collect())
            .await;
    }
}

async fn poll(queue: &SqsQueue) -> Result<Vec<Received>, QueueError> {
    use aws_sdk_sqs::types::MessageSystemAttributeName::ApproximateReceiveCount;
    let call = queue.client.sqs().await.receive_message().queue_url(&queue.options.url);
    let call = call
        .max_number_of_messages(queue.options.batch)
        .wait_time_seconds(queue.options.poll)
        .visibility_timeout(HIDDEN.as_secs() as i32)
        .message_system_attribute_names(ApproximateReceiveCount);
    Ok(queue.client.judge(call.send().await)?.messages.unwrap_or_default())
}

async fn hide_all(queue: &Arc<SqsQueue>, receipts: Vec<(String, Duration)>) {
    let batches: Vec<Vec<_>> = receipts.chunks(BATCH).map(<[_]>::to_vec).collect();
    let hide = |batch: Vec<(String, Duration)>| {
        let queue = queue.clone();
        async move { queue.hide(batch).await }
    };
    for answer in many(MAX_CALLS, batches.into_iter().map(hide)).await {
        // Then they come again too early, or too late.
        if let Err(QueueError::Refused(why)) = answer {
            queue.complain(&why);
        }
    }
}

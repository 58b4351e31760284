//! Out of the queue: the task that brings jobs of this worker's partitions to the buffer, and tells Redis
//! what is done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::calls::{Claimed, LeaveOutcome, Read, at_most, claim, leave, read, tell};
use super::hints::{HINTS, Hint, listen};
use super::partitions::Partitions;
use super::script::RELEASE;
use super::{MAX_CALLS, RedisQueue};
use crate::QueueError;
use crate::counters::count;
use crate::job_buffer::{JobBuffer, LOOK_AGAIN};
use crate::scheduler::{HandoutId, Held};

/// How often a worker says that it lives.
const BEAT: Duration = Duration::from_secs(2);
/// How often it looks over its partitions.
const ROUND: Duration = Duration::from_secs(1);
/// How long saying goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves the buffer until it is told to stop, or nobody can tell it any more; then leaves everything
/// to others.
pub(crate) async fn work(
    queue: Arc<RedisQueue>,
    buffer: Arc<JobBuffer>,
    mut stop: oneshot::Receiver<()>,
) {
    let name = name();
    let (hint, mut hints) = mpsc::channel(HINTS);
    let mut listening = JoinSet::new();
    listening.spawn(listen(queue.clone(), name.clone(), hint));
    let now = Instant::now();
    let mut worker = RedisWorker {
        queue,
        buffer,
        name: name.into(),
        partitions: Partitions::default(),
        done: HashMap::new(),
        calls: JoinSet::new(),
        claiming: false,
        claim_at: now,
        whole: true,
        differs: 0,
        round_at: now,
        away: false,
    };
    loop {
        worker.go_on();
        let due = worker.due();
        tokio::select! {
            Some(Ok(ended)) = worker.calls.join_next() => worker.ended(ended),
            Some(hint) = hints.recv() => worker.hint(hint),
            () = worker.buffer.taken.notified() => worker.partitions.look_for_room(),
            () = sleep_until(due) => worker.partitions.look_for_room(),
            _ = &mut stop => break,
        }
    }
    worker.buffer.close();
    let _ = timeout(CLOSE_TIMEOUT, worker.goodbye()).await;
}

/// What a worker is called, different from all others.
fn name() -> String {
    let random = getrandom::u64().unwrap_or_else(|_| std::process::id().into());
    format!("{random:016x}")
}

/// A call that has ended.
enum Ended {
    Claim {
        whole: bool,
        answer: Result<Claimed, QueueError>,
    },
    Read {
        partition: Arc<str>,
        epoch: u64,
        wanted: usize,
        answer: Result<Option<Read>, QueueError>,
    },
    Tell {
        partition: Arc<str>,
        handouts: Vec<HandoutId>,
        answer: Result<(), QueueError>,
    },
    Leave {
        partition: Arc<str>,
        epoch: u64,
        answer: Result<LeaveOutcome, QueueError>,
    },
}

/// Jobs of a partition that are done.
#[derive(Default)]
struct Done {
    to_tell: Vec<HandoutId>,
    telling: bool,
}

/// Owned by its task.
struct RedisWorker {
    queue: Arc<RedisQueue>,
    buffer: Arc<JobBuffer>,
    name: Arc<str>,
    partitions: Partitions,
    /// What Redis is to be told, of partitions that are ours or were.
    done: HashMap<Arc<str>, Done>,
    calls: JoinSet<Ended>,
    claiming: bool,
    claim_at: Instant,
    /// Whether to ask for all our partitions, since we may have missed something.
    whole: bool,
    /// How often in a row Redis had another number of partitions for us than we know.
    differs: u32,
    round_at: Instant,
    /// The server is away, and only one call is tried from time to time.
    away: bool,
}

impl RedisWorker {
    /// When there is something to do even if nothing happens.
    fn due(&self) -> Instant {
        let mut due = self.round_at;
        if !self.claiming {
            due = due.min(self.claim_at);
        }
        if self.partitions.is_any_full() {
            due = due.min(Instant::now() + LOOK_AGAIN);
        }
        due
    }

    /// Begins what can be begun.
    fn go_on(&mut self) {
        let now = Instant::now();
        for (partition, handout) in self.buffer.scheduler.lock().take_done() {
            self.partitions.has_more(&partition);
            self.done.entry(partition).or_default().to_tell.push(handout);
        }
        if self.claim_at <= now && !self.claiming {
            self.claiming = true;
            let (queue, name, whole) = (self.queue.clone(), self.name.clone(), self.whole);
            self.calls.spawn(async move {
                queue.announce().await;
                Ended::Claim { whole, answer: claim(&queue, &name, whole).await }
            });
        }
        if self.away {
            self.round_at = now + ROUND;
            return;
        }
        self.tell();
        if self.round_at <= now {
            self.round_at = now + ROUND;
            for partition in self.partitions.look_round(now.into_std()) {
                if !self.is_here(&partition) {
                    self.leave(partition, true);
                }
            }
        }
        for partition in self.partitions.to_leave(|partition| self.is_here(partition)) {
            self.leave(partition, false);
        }
        self.read(now);
    }

    /// Whether a partition's jobs are here, or Redis does not know that they are done.
    fn is_here(&self, partition: &str) -> bool {
        self.done.contains_key(partition) || self.buffer.scheduler.lock().has(partition)
    }

    fn tell(&mut self) {
        for (partition, done) in &mut self.done {
            if done.telling || done.to_tell.is_empty() {
                continue;
            }
            done.telling = true;
            let (queue, partition) = (self.queue.clone(), partition.clone());
            let handouts = std::mem::take(&mut done.to_tell);
            self.calls.spawn(async move {
                let answer = tell(&queue, &partition, &handouts).await;
                Ended::Tell { partition, handouts, answer }
            });
        }
    }

    fn read(&mut self, now: Instant) {
        let most = MAX_CALLS.saturating_sub(self.calls.len());
        let appetite = |partition: &str| self.buffer.appetite(partition);
        for (partition, wanted) in self.partitions.begin_to_read(most, now.into_std(), appetite) {
            let Some(known) = self.partitions.get(&partition) else { continue };
            let (epoch, next) = (known.epoch, known.next);
            let (queue, name) = (self.queue.clone(), self.name.clone());
            self.calls.spawn(async move {
                let wanted = at_most(wanted);
                let answer = read(&queue, &name, &partition, epoch, next, wanted).await;
                Ended::Read { partition, epoch, wanted, answer }
            });
        }
    }

    fn leave(&mut self, partition: Arc<str>, if_empty: bool) {
        let Some(known) = self.partitions.get(&partition) else { return };
        known.calling = true;
        let epoch = known.epoch;
        let (queue, name) = (self.queue.clone(), self.name.clone());
        self.calls.spawn(async move {
            let answer = leave(&queue, &name, &partition, epoch, if_empty).await;
            Ended::Leave { partition, epoch, answer }
        });
    }

    fn hint(&mut self, hint: Hint) {
        match hint {
            Hint::Partition(partition) if self.partitions.get(&partition).is_some() => {
                self.partitions.has_more(&partition)
            }
            Hint::Partition(_) | Hint::Partitions => self.claim_at = Instant::now(),
            Hint::Listening => {
                self.claim_at = Instant::now();
                self.partitions.all_have_more();
            }
        }
    }

    fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Claim { whole, answer } => self.claimed(whole, answer),
            Ended::Read { partition, epoch, wanted, answer } => {
                if self.partitions.get(&partition).is_some_and(|known| known.epoch == epoch) {
                    self.was_read(&partition, wanted, answer);
                }
            }
            Ended::Tell { partition, handouts, answer } => self.told(&partition, handouts, answer),
            Ended::Leave { partition, epoch, answer } => {
                if self.partitions.get(&partition).is_some_and(|known| known.epoch == epoch) {
                    self.left(&partition, answer);
                }
            }
        }
    }

    fn claimed(&mut self, whole: bool, answer: Result<Claimed, QueueError>) {
        let now = Instant::now();
        self.claiming = false;
        let claimed = match answer {
            Ok(claimed) => claimed,
            Err(error) => {
                self.claim_at = now + BEAT;
                return self.failed(&error);
            }
        };
        self.claim_at = now + BEAT;
        if std::mem::take(&mut self.away) {
            self.partitions.all_have_more();
        }
        if whole {
            self.whole = false;
            let ours: HashMap<&str, u64> = claimed
                .partitions
                .iter()
                .map(|(partition, epoch)| (partition.as_str(), *epoch))
                .collect();
            let lost = |partition: &&Arc<str>| !ours.contains_key(&***partition);
            for partition in self.partitions.names().filter(lost).cloned().collect::<Vec<_>>() {
                self.lose(&partition);
            }
        } else if !claimed.was_known {
            // We were held for dead, or Redis has lost what it knew.
            self.ask_for_all(now);
        }
        for (partition, epoch) in &claimed.partitions {
            self.partitions.gain(partition, *epoch, now.into_std());
        }
        self.differs =
            if claimed.load == self.partitions.len() as i64 { 0 } else { self.differs + 1 };
        if self.differs > 1 {
            self.differs = 0;
            self.ask_for_all(now);
        }
        let surplus = usize::try_from(claimed.surplus).unwrap_or_default();
        let scheduler = self.buffer.clone();
        let in_hand = |partition: &str| scheduler.scheduler.lock().size(partition).1;
        for partition in self.partitions.choose_to_leave(surplus, now.into_std(), in_hand) {
            self.buffer.bring(|scheduler| scheduler.leave(&partition));
        }
    }

    fn ask_for_all(&mut self, now: Instant) {
        self.whole = true;
        self.claim_at = now;
    }

    fn was_read(&mut self, name: &str, wanted: usize, answer: Result<Option<Read>, QueueError>) {
        let now = Instant::now().into_std();
        let read = match answer {
            Ok(Some(read)) => read,
            Ok(None) => return self.lose(name),
            Err(error) => {
                // If it is refused, it is tried again with the next look at the partition.
                self.partitions.was_read(name, None, false, now);
                return self.failed(&error);
            }
        };
        let Some(known) = self.partitions.get(name) else { return };
        if known.leaving() {
            // It is read from its begin if it is kept.
            return self.partitions.was_read(name, None, false, now);
        }
        let ours = known.read;
        let last = read.jobs.last().map(|(handout, _)| *handout);
        let more = wanted > 0 && read.jobs.len() == wanted;
        let (mut others, mut broken) = (0, Vec::new());
        self.buffer.bring(|scheduler| {
            for (handout, job) in read.jobs {
                let Some((group, payload)) = job else {
                    broken.push(handout);
                    continue;
                };
                let before = u32::from(handout <= read.before && handout > ours);
                let job = crate::Job { partition: name.to_owned(), group, payload };
                if scheduler.put(Held { handout, job, before }) {
                    others += before as usize;
                }
            }
        });
        count(&self.buffer.tally.taken_over, others);
        if !broken.is_empty() {
            tracing::error!(
                partition = name,
                jobs = broken.len(),
                "entries of a queue are no jobs"
            );
            self.done.entry(name.into()).or_default().to_tell.extend(broken);
        }
        self.partitions.was_read(name, last, more, now);
    }

    fn told(&mut self, name: &str, handouts: Vec<HandoutId>, answer: Result<(), QueueError>) {
        let Some(done) = self.done.get_mut(name) else { return };
        done.telling = false;
        match answer {
            Ok(()) => {
                self.buffer.scheduler.lock().forget(name, &handouts);
                if done.to_tell.is_empty() {
                    self.done.remove(name);
                }
            }
            Err(error) => {
                done.to_tell.extend(handouts);
                self.failed(&error);
            }
        }
    }

    fn left(&mut self, name: &str, answer: Result<LeaveOutcome, QueueError>) {
        match answer {
            Ok(LeaveOutcome::Stays) => {
                self.partitions.was_read(name, None, true, Instant::now().into_std());
            }
            Ok(LeaveOutcome::Gone) => self.lose(name),
            Err(error) => {
                // Whether it is ours is asked as soon as there is an answer.
                self.partitions.was_read(name, None, false, Instant::now().into_std());
                self.whole = true;
                self.failed(&error);
            }
        }
    }

    fn lose(&mut self, partition: &str) {
        self.partitions.lose(partition);
        self.buffer.bring(|scheduler| scheduler.leave(partition));
    }

    fn failed(&mut self, error: &QueueError) {
        if let QueueError::Away(_) = error {
            self.away = true;
            self.whole = true;
            self.claim_at = self.queue.link.client.not_before();
        } else {
            self.queue.refused(error);
        }
    }

    /// Tells what is done, and leaves all partitions.
    async fn goodbye(&mut self) {
        for (partition, handout) in self.buffer.scheduler.lock().take_done() {
            self.done.entry(partition).or_default().to_tell.push(handout);
        }
        self.tell();
        while let Some(ended) = self.calls.join_next().await {
            // What is brought now stays where it is; what is told now is known.
            if let Ok(Ended::Tell { partition, handouts, answer }) = ended {
                self.told(&partition, handouts, answer);
                if !self.away {
                    self.tell();
                }
            }
        }
        let all = &self.queue.keys.all;
        let others: Result<Vec<String>, _> =
            self.queue.link.run(RELEASE.call(all, &[&*self.name])).await;
        for other in others.unwrap_or_default() {
            self.queue.wake(&other, "").await;
        }
    }
}

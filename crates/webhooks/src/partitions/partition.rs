//! One partition: an app's target with the jobs that wait for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use super::pause::pause;
use super::{PartitionOutput, Pending, REST_AFTER};
use crate::{Failure, Job, Now, Outcome, Reason, Settings};

/// Later than anything.
const NEVER: Now = Now::MAX;

/// A partition is never without a job between two calls.
#[derive(Debug)]
pub(super) struct Partition<T> {
    /// In the order in which they came.
    jobs: BTreeMap<u64, Waiting<T>>,
    groups: HashMap<Arc<str>, Group>,
    /// Groups whose first job may be sent, by turn.
    ready: BTreeMap<u64, Arc<str>>,
    turns: u64,
    /// Groups whose first job has failed, by the time from which it may be sent again.
    paused: BTreeSet<(Now, Arc<str>)>,
    in_flight: usize,
    bytes: usize,
    trouble: Trouble,
    /// Whether it waits for a request to be free.
    pub(super) hungry: bool,
    /// When it is to be looked at again.
    pub(super) alarm: Option<Now>,
}

#[derive(Debug)]
struct Waiting<T> {
    job: Arc<Job>,
    tag: T,
    weight: usize,
    since: Now,
    failures: u32,
    /// When the attempt began that is under way.
    attempt: Option<Attempt>,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    since: Now,
    /// Whether it is to show that the target is back.
    probe: bool,
}

#[derive(Debug)]
struct Group {
    jobs: VecDeque<u64>,
    place: GroupPlace,
    /// When the first attempt began that failed, if none has succeeded since.
    failing_since: Option<Now>,
}

/// Where a group is found.
#[derive(Clone, Copy, Debug)]
enum GroupPlace {
    /// In `ready`, with its turn.
    Ready(u64),
    /// In `paused`, with its time.
    Paused(Now),
    /// Its first job is under way.
    UnderWay,
}

/// What has gone wrong since anything last succeeded.
#[derive(Debug, Default)]
struct Trouble {
    /// Failures in a row.
    failures: u32,
    since: Option<Now>,
    last: Option<Failure>,
    /// Until when the partition rests; it rests on, but for one attempt at a time, until one succeeds.
    rests_until: Option<Now>,
    /// How often it has begun to rest.
    rests: u32,
}

/// A job to be sent.
pub(super) struct NextJob {
    pub(super) number: u64,
    pub(super) job: Arc<Job>,
}

/// What a failure's consequences depend on.
pub(super) struct Rules<'a> {
    pub(super) settings: &'a Settings,
    pub(super) random: u32,
    pub(super) last_call: bool,
}

impl<T> Partition<T> {
    pub(super) fn new() -> Self {
        Partition {
            jobs: BTreeMap::new(),
            groups: HashMap::default(),
            ready: BTreeMap::new(),
            turns: 0,
            paused: BTreeSet::new(),
            in_flight: 0,
            bytes: 0,
            trouble: Trouble::default(),
            hungry: false,
            alarm: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn rests(&self) -> bool {
        self.trouble.rests_until.is_some()
    }

    pub(super) fn pending(&self, now: Now) -> Option<Pending> {
        let (_, oldest) = self.jobs.first_key_value()?;
        Some(Pending {
            to: oldest.job.to.clone(),
            jobs: self.jobs.len(),
            bytes: self.bytes,
            oldest: now.saturating_sub(oldest.since),
        })
    }

    pub(super) fn take(&mut self, number: u64, now: Now, job: Arc<Job>, tag: T, weight: usize) {
        let key = job.group.clone();
        match self.groups.get_mut(&key) {
            Some(group) => group.jobs.push_back(number),
            None => {
                let (jobs, place) = ([number].into(), GroupPlace::UnderWay);
                self.groups.insert(key.clone(), Group { jobs, place, failing_since: None });
                self.make_ready(key);
            }
        }
        self.bytes += weight;
        let waiting = Waiting { job, tag, weight, since: now, failures: 0, attempt: None };
        self.jobs.insert(number, waiting);
    }

    /// Whether [`send`](Self::send) would be right now, if there is a request left in all.
    pub(super) fn may_send(&mut self, now: Now, settings: &Settings) -> bool {
        self.resume(now);
        let allowed = match self.trouble.rests_until {
            Some(until) => until <= now && self.in_flight == 0,
            None => self.in_flight < settings.requests_per_partition,
        };
        allowed && !self.ready.is_empty()
    }

    /// The job whose turn it is; an attempt at it begins.
    pub(super) fn send(&mut self, now: Now) -> Option<NextJob> {
        let (_, key) = self.ready.pop_first()?;
        let group = self.groups.get_mut(&key)?;
        group.place = GroupPlace::UnderWay;
        let number = *group.jobs.front()?;
        let waiting = self.jobs.get_mut(&number)?;
        waiting.attempt = Some(Attempt { since: now, probe: self.trouble.rests_until.is_some() });
        self.in_flight += 1;
        Some(NextJob { number, job: waiting.job.clone() })
    }

    /// An attempt is over. Returns how many bytes are no longer held, `None` if there was no such
    /// attempt.
    pub(super) fn attempted(
        &mut self,
        now: Now,
        number: u64,
        result: Result<(), Failure>,
        rules: &Rules<'_>,
        out: &mut Vec<PartitionOutput<T>>,
    ) -> Option<usize> {
        let waiting = self.jobs.get_mut(&number)?;
        let attempt = waiting.attempt.take()?;
        let (key, to) = (waiting.job.group.clone(), waiting.job.to.clone());
        self.in_flight -= 1;
        let outcome = match result {
            Ok(()) => {
                if std::mem::take(&mut self.trouble).rests_until.is_some() {
                    out.push(PartitionOutput::Recovered { to });
                }
                if let Some(group) = self.groups.get_mut(&key) {
                    group.failing_since = None;
                }
                Outcome::Delivered
            }
            Err(failure) if failure.is_final() => Outcome::GivenUp(Reason::Hopeless(failure)),
            Err(failure) => {
                waiting.failures = waiting.failures.saturating_add(1);
                let failures = waiting.failures;
                if self.note(now, attempt, failures, &failure, rules) {
                    out.push(PartitionOutput::Rests { to, failure: failure.clone() });
                }
                match self.again(now, number, attempt, &failure, rules) {
                    Some(after) => Outcome::GivenUp(Reason::Expired { after, last: failure }),
                    None => return Some(0),
                }
            }
        };
        let weight = self.finish(number, outcome, out);
        self.make_ready(key);
        Some(weight)
    }

    /// Gives up what a target that fails has kept waiting for too long. Returns how many bytes are
    /// no longer held.
    pub(super) fn expire(
        &mut self,
        now: Now,
        settings: &Settings,
        out: &mut Vec<PartitionOutput<T>>,
    ) -> usize {
        let mut freed = 0;
        while self.rests()
            && let Some((number, since)) = self.oldest()
            && let Some(after) = now.checked_sub(since).filter(|after| *after >= settings.retry_for)
        {
            let last = self.trouble.last.clone();
            let last = last.unwrap_or_else(|| Failure::Unreachable("no attempt".into()));
            let reason = Reason::Expired { after, last };
            freed += self.finish(number, Outcome::GivenUp(reason), out);
        }
        freed
    }

    /// When this partition is to be looked at again by itself.
    pub(super) fn alarm(&self, now: Now, settings: &Settings) -> Option<Now> {
        let Some(until) = self.trouble.rests_until else {
            return self.paused.first().map(|(at, _)| *at);
        };
        let expires = self.oldest().map(|(_, since)| since + settings.retry_for);
        // An attempt under way, or one that waits for a free request, ends by itself.
        let rest = Some(until).filter(|until| self.in_flight == 0 && *until > now);
        rest.into_iter().chain(expires).min()
    }

    /// Ends all rest and every pause.
    pub(super) fn wake(&mut self) {
        self.trouble = Trouble::default();
        self.resume(NEVER);
    }

    /// Makes those groups ready whose pause is over.
    fn resume(&mut self, now: Now) {
        while let Some((_, key)) = self.paused.first().filter(|(at, _)| *at <= now).cloned() {
            self.make_ready(key);
        }
    }

    /// An attempt has failed, as the job has so often by now. Returns whether the partition begins to
    /// rest.
    fn note(
        &mut self,
        now: Now,
        attempt: Attempt,
        failures: u32,
        failure: &Failure,
        rules: &Rules<'_>,
    ) -> bool {
        let trouble = &mut self.trouble;
        trouble.failures = trouble.failures.saturating_add(1);
        trouble.since.get_or_insert(attempt.since);
        trouble.last = Some(failure.clone());
        let rested = trouble.rests_until.is_some();
        let rests = match rested {
            // What was under way when the rest began says nothing new.
            true => attempt.probe,
            false => failure.is_the_target_s() || trouble.failures >= REST_AFTER,
        };
        if !rests {
            return false;
        }
        trouble.rests = trouble.rests.saturating_add(1);
        // Where there is but one job to send, it has waited for long already.
        let failures = trouble.rests.max(failures);
        let pause = pause(rules.settings, failures, rules.random, failure.retry_after());
        trouble.rests_until = Some(if rules.last_call { NEVER } else { now + pause });
        // Turns are all that matters from now on.
        self.resume(NEVER);
        !rested
    }

    /// A job that has failed has to wait, or else, it has been tried for long enough: for so long.
    fn again(
        &mut self,
        now: Now,
        number: u64,
        attempt: Attempt,
        failure: &Failure,
        rules: &Rules<'_>,
    ) -> Option<Duration> {
        let rests = self.rests();
        let waiting = self.jobs.get(&number)?;
        let key = waiting.job.group.clone();
        let group = self.groups.get_mut(&key)?;
        let since = waiting.since.max(*group.failing_since.get_or_insert(attempt.since));
        let deadline = since + rules.settings.retry_for;
        if now >= deadline && !rules.last_call {
            return Some(now - since);
        }
        if rests {
            self.make_ready(key);
            return None;
        }
        let asked = failure.retry_after();
        let pause = pause(rules.settings, waiting.failures, rules.random, asked);
        // The last attempt is made when it has to be.
        let at = if rules.last_call { NEVER } else { (now + pause).min(deadline) };
        group.place = GroupPlace::Paused(at);
        self.paused.insert((at, key));
        None
    }

    /// A group's first job may be sent when its turn comes, if there is one.
    fn make_ready(&mut self, key: Arc<str>) {
        let Some(group) = self.groups.get_mut(&key) else { return };
        if let GroupPlace::Ready(_) = group.place {
            return;
        }
        if let GroupPlace::Paused(at) = group.place {
            self.paused.remove(&(at, key.clone()));
        }
        self.turns += 1;
        group.place = GroupPlace::Ready(self.turns);
        self.ready.insert(self.turns, key);
    }

    /// The oldest job that is not under way, and since when it waits for a target that fails. Very
    /// few are under way.
    fn oldest(&self) -> Option<(u64, Now)> {
        let idle = self.jobs.iter().find(|(_, waiting)| waiting.attempt.is_none());
        let failing = self.trouble.since.unwrap_or_default();
        idle.map(|(number, waiting)| (*number, waiting.since.max(failing)))
    }

    /// Lets go of a job, and of its group with the last one.
    fn finish(
        &mut self,
        number: u64,
        outcome: Outcome,
        out: &mut Vec<PartitionOutput<T>>,
    ) -> usize {
        let Some(waiting) = self.jobs.remove(&number) else { return 0 };
        self.bytes -= waiting.weight;
        let key = &waiting.job.group;
        if let Some(group) = self.groups.get_mut(key) {
            // It is the first, or right behind the one under way.
            if let Some(at) = group.jobs.iter().position(|other| *other == number) {
                group.jobs.remove(at);
            }
            if group.jobs.is_empty() {
                match group.place {
                    GroupPlace::Ready(turn) => _ = self.ready.remove(&turn),
                    GroupPlace::Paused(at) => _ = self.paused.remove(&(at, key.clone())),
                    GroupPlace::UnderWay => {}
                }
                self.groups.remove(key);
            }
        }
        out.push(PartitionOutput::Finished { job: waiting.job, tag: waiting.tag, outcome });
        waiting.weight
    }
}

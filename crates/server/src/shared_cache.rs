//! What Redis has yet to be told and asked about cache channels, and who waits for its answers. It
//! must not know how Redis is talked to, nor what follows from an answer.
//!
//! A channel is written once however often it changed meanwhile, since what is written is what
//! memory holds then. It is asked for once however many wait.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use config::{CacheDriver, Config, Mode};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use channels::{ChannelKey, Topic};

/// The most that anybody waits for an answer.
pub(crate) const STORE_TIMEOUT: Duration = Duration::from_millis(250);
/// For how long an answer will do.
const FRESH: Duration = Duration::from_secs(2);
/// The most channels that are to be written, that are asked for, and whose answers are remembered.
const MAX_CHANNELS: usize = 100_000;

/// A channel that Redis is asked for.
pub(crate) struct Question {
    /// Nobody waits any longer; tells it from another one of the same channel, too.
    until: Instant,
    /// Requests that wait; they go on when this goes.
    readers: Vec<oneshot::Sender<()>>,
}

#[derive(Default)]
struct CacheState {
    /// False from the first failed attempt to connect until the next that succeeds.
    reachable: bool,
    unwritten: HashSet<ChannelKey>,
    /// The same, the oldest first.
    to_write: VecDeque<ChannelKey>,
    /// Writes under way.
    writing: usize,
    questions: HashMap<ChannelKey, Question>,
    /// Those that Redis has not been asked yet.
    to_ask: VecDeque<ChannelKey>,
    /// All of them, in the order in which they began; some may have ended.
    order: VecDeque<(Instant, ChannelKey)>,
    /// When Redis answered.
    answered: HashMap<ChannelKey, Instant>,
    /// The same, the oldest first.
    answers: VecDeque<(Instant, ChannelKey)>,
}

/// The channel of a topic.
pub(crate) fn key(topic: &Topic) -> ChannelKey {
    (topic.app.clone(), topic.channel.clone())
}

/// What has happened so far.
#[derive(Default)]
pub(crate) struct CacheCounters {
    pub(crate) up: AtomicBool,
    pub(crate) writes: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) hits: AtomicU64,
    pub(crate) misses: AtomicU64,
    pub(crate) invalid: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) late: AtomicU64,
}

/// For whoever wants to look.
pub(crate) struct SharedNumbers {
    pub(crate) up: bool,
    pub(crate) writes: u64,
    pub(crate) dropped: u64,
    pub(crate) reads: [(&'static str, u64); 5],
    pub(crate) unwritten: usize,
    pub(crate) questions: usize,
}

/// Something for Redis to do.
pub(crate) enum CacheJob {
    Read(ChannelKey),
    Write(ChannelKey),
}

/// Owned by the node, shared by all its threads. Its lock is taken under a stripe's lock, never
/// around one.
pub(crate) struct SharedCache {
    state: Mutex<CacheState>,
    /// Whether other nodes tell this one what they publish: then what is in memory is the last
    /// event. Otherwise somebody whom we do not hear may have published a later one.
    is_told: bool,
    pub(crate) counters: CacheCounters,
    /// There is something for Redis to do.
    pub(crate) work: Notify,
    /// Somebody waits.
    pub(crate) asked: Notify,
}

impl SharedCache {
    /// None if events are kept in memory only, or not at all.
    pub(crate) fn of(config: &Config, is_clustered: bool) -> Option<Self> {
        let is_wanted = config.cache.driver == CacheDriver::Redis
            && config.cache.ttl != Some(Duration::ZERO)
            && config.mode != Mode::Worker;
        is_wanted.then(|| Self::new(is_clustered))
    }

    fn new(is_told: bool) -> Self {
        SharedCache {
            // Those who come before the first attempt to connect has ended may wait for it.
            state: Mutex::new(CacheState { reachable: true, ..CacheState::default() }),
            is_told,
            counters: CacheCounters::default(),
            work: Notify::new(),
            asked: Notify::new(),
        }
    }

    /// Memory has a new last event of a channel, which Redis has to have, too.
    pub(crate) fn put(&self, key: ChannelKey) {
        let mut state = self.state.lock();
        if state.unwritten.contains(&key) {
            return;
        }
        if state.unwritten.len() >= MAX_CHANNELS {
            CacheCounters::count(&self.counters.dropped);
            return;
        }
        state.unwritten.insert(key.clone());
        state.to_write.push_back(key);
    }

    /// Whether there is a channel's answer to wait for, which is asked for if need be. `known`:
    /// memory has an event.
    pub(crate) fn ask(&self, key: &ChannelKey, known: bool) -> bool {
        self.state.lock().question(key, known && self.is_told).is_some()
    }

    /// For a request that waits, if there is an answer to wait for: resolves with it.
    pub(crate) fn read(&self, key: &ChannelKey, known: bool) -> Option<oneshot::Receiver<()>> {
        let mut state = self.state.lock();
        let question = state.question(key, known && self.is_told)?;
        let (to, answered) = oneshot::channel();
        question.readers.push(to);
        Some(answered)
    }

    /// Ends a question, unless it has ended; whoever has waited. If it `is_settled`, Redis is not
    /// asked again for a moment. To be called under the channel's lock.
    pub(crate) fn end(&self, key: &ChannelKey, is_settled: bool) -> Option<Question> {
        let mut state = self.state.lock();
        if is_settled {
            state.remember(key, Instant::now());
        }
        state.questions.remove(key)
    }

    /// Questions for whose answers nobody waits any longer.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<ChannelKey> {
        let mut overdue = Vec::new();
        let mut state = self.state.lock();
        while state.order.front().is_some_and(|(until, _)| *until <= now) {
            let Some((until, key)) = state.order.pop_front() else { break };
            if state.questions.get(&key).is_some_and(|question| question.until == until) {
                overdue.push(key);
            }
        }
        overdue
    }

    /// When the first question is overdue.
    pub(crate) fn first_ends(&self) -> Option<Instant> {
        self.state.lock().order.front().map(|(until, _)| *until)
    }

    /// The next thing for Redis to do. Somebody may wait for an answer, nobody for a write.
    pub(crate) fn next_job(&self) -> Option<CacheJob> {
        let mut state = self.state.lock();
        while let Some(key) = state.to_ask.pop_front() {
            // It may have become too late meanwhile.
            if state.questions.contains_key(&key) {
                return Some(CacheJob::Read(key));
            }
        }
        let key = state.to_write.pop_front()?;
        state.unwritten.remove(&key);
        state.writing += 1;
        Some(CacheJob::Write(key))
    }

    /// A write has ended.
    pub(crate) fn has_written(&self) {
        self.state.lock().writing -= 1;
    }

    /// Whether Redis can be asked; those that it has been asked in vain, if it cannot any longer.
    pub(crate) fn set_reachable(&self, reachable: bool) -> Vec<ChannelKey> {
        self.counters.up.store(reachable, Relaxed);
        let mut state = self.state.lock();
        state.reachable = reachable;
        if reachable {
            return Vec::new();
        }
        state.to_ask.clear();
        state.questions.keys().cloned().collect()
    }

    /// Whether Redis has everything, or cannot be told now.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.state.lock();
        !state.reachable || (state.unwritten.is_empty() && state.writing == 0)
    }

    /// Has the background do what there is to do. Never under a channel's lock, for it may be a
    /// system call.
    pub(crate) fn wake(&self) {
        self.work.notify_one();
        self.asked.notify_one();
    }

    pub(crate) fn numbers(&self) -> SharedNumbers {
        let CacheCounters { up, writes, dropped, hits, misses, invalid, failed, late } =
            &self.counters;
        let reads = [
            ("hit", hits),
            ("miss", misses),
            ("invalid", invalid),
            ("failed", failed),
            ("late", late),
        ];
        let state = self.state.lock();
        SharedNumbers {
            up: up.load(Relaxed),
            writes: writes.load(Relaxed),
            dropped: dropped.load(Relaxed),
            reads: reads.map(|(outcome, count)| (outcome, count.load(Relaxed))),
            unwritten: state.unwritten.len() + state.writing,
            questions: state.questions.len(),
        }
    }
}

impl CacheState {
    /// The question for a channel, which is begun if need be; none if there is nothing to wait for.
    fn question(&mut self, key: &ChannelKey, is_known: bool) -> Option<&mut Question> {
        let now = Instant::now();
        let is_open = self.questions.contains_key(key);
        let is_answered = |answered: &Instant| now.duration_since(*answered) < FRESH;
        if !is_open {
            let is_needless = is_known || self.answered.get(key).is_some_and(is_answered);
            let is_full = self.order.len().max(self.to_ask.len()) >= MAX_CHANNELS;
            if is_needless || !self.reachable || is_full {
                return None;
            }
            let until = now + STORE_TIMEOUT;
            let question = Question { until, readers: Vec::new() };
            self.questions.insert(key.clone(), question);
            self.order.push_back((until, key.clone()));
            self.to_ask.push_back(key.clone());
        }
        self.questions.get_mut(key)
    }

    fn remember(&mut self, key: &ChannelKey, now: Instant) {
        self.answered.insert(key.clone(), now);
        self.answers.push_back((now, key.clone()));
        while let Some((at, key)) = self.answers.front()
            && (self.answers.len() > MAX_CHANNELS || now.duration_since(*at) >= FRESH)
        {
            if self.answered.get(key) == Some(at) {
                self.answered.remove(key);
            }
            self.answers.pop_front();
        }
    }
}

impl CacheCounters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> ChannelKey {
        ("a".into(), format!("cache-{n}").into())
    }

    #[test]
    fn a_channel_is_asked_for_once() {
        let shared = SharedCache::new(true);
        assert!(shared.ask(&key(1), false));
        assert!(shared.ask(&key(1), true), "an open question is waited for");
        assert!(matches!(shared.next_job(), Some(CacheJob::Read(_))));
        assert!(shared.next_job().is_none());
        assert!(shared.end(&key(1), true).is_some(), "it was open");
        assert!(!shared.ask(&key(1), false), "it has just been answered");
    }

    #[test]
    fn what_is_known_is_asked_for_only_where_nobody_tells() {
        assert!(!SharedCache::new(true).ask(&key(1), true));
        assert!(SharedCache::new(false).ask(&key(1), true));
    }

    #[test]
    fn nobody_waits_for_long_nor_for_what_is_away() {
        let shared = SharedCache::new(true);
        shared.ask(&key(1), false);
        assert!(shared.overdue(Instant::now()).is_empty());
        assert_eq!(shared.overdue(Instant::now() + STORE_TIMEOUT), [key(1)]);
        assert_eq!(shared.set_reachable(false), [key(1)]);
        shared.end(&key(1), false);
        assert!(!shared.ask(&key(1), false));
        shared.set_reachable(true);
        assert!(shared.ask(&key(1), false), "it was never answered");
    }

    #[test]
    fn what_changes_often_is_written_once() {
        let shared = SharedCache::new(true);
        (0..100).for_each(|n| shared.put(key(n % 2)));
        assert!(!shared.is_idle());
        for n in 0..2 {
            assert!(matches!(shared.next_job(), Some(CacheJob::Write(k)) if k == key(n)));
        }
        assert!(shared.next_job().is_none() && !shared.is_idle());
        (0..2).for_each(|_| shared.has_written());
        assert!(shared.is_idle());
    }

    #[test]
    fn everything_is_bounded() {
        let shared = SharedCache::new(true);
        for n in 0..MAX_CHANNELS + 10 {
            shared.put(key(n));
            shared.ask(&key(n), false);
        }
        let SharedNumbers { dropped, unwritten, questions, .. } = shared.numbers();
        assert_eq!((dropped, unwritten, questions), (10, MAX_CHANNELS, MAX_CHANNELS));
        (0..MAX_CHANNELS + 10).for_each(|n| drop(shared.end(&key(n), true)));
        let state = shared.state.lock();
        assert!(state.answers.len() <= MAX_CHANNELS && state.answered.len() <= MAX_CHANNELS);
    }
}

//! The sender's side of one stream, shared by everybody who appends to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::window::{Due, EntryKind, Haste, Run, Window};
use crate::{Now, Settings};

/// The longest entry that a stream takes, in bytes: it fits into a packet with room to spare.
pub const MAX_ENTRY: usize = 16 << 20;

/// What this node tells one peer: an ordered stream of entries, kept until they are acknowledged.
///
/// Owned by the cluster, which transmits and forgets; shared with all threads that append. Every
/// method holds a short lock, [`acked`](Self::acked), [`is_ended`](Self::is_ended) and
/// [`epoch`](Self::epoch) none.
#[derive(Debug)]
pub struct Log {
    epoch: u64,
    replay_bytes: usize,
    replay_age: Duration,
    acked: AtomicU64,
    ended: AtomicBool,
    losses: Arc<Losses>,
    state: Mutex<LogState>,
}

struct LogState {
    stream: StreamState,
    /// What the driver saw when it last looked; [`Due::Now`] as well if it was woken since.
    seen: Due,
}

enum StreamState {
    Open(Window),
    /// Nothing more is transmitted; `position` is the number that the next entry would have had.
    Ended {
        position: u64,
        end: End,
    },
}

/// Why a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// A bound was exceeded while the peer was up, or a newer stream replaces this one: events in
    /// it are lost.
    Broken,
    /// The peer is down: there is nobody who could miss anything.
    Down,
}

/// Where an entry is in its stream, see [`Log::append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its sequence number: the peer has it when [`Log::acked`] is not below.
    pub seq: u64,
    /// Whether the driver has to be woken: when it last looked it saw nothing to send to this peer
    /// yet, that has changed, and nobody was told so since.
    pub wake: bool,
}

/// What waits in a stream at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// How many entries are not acknowledged.
    pub unacked_entries: usize,
    /// What those take in memory, in bytes.
    pub unacked_bytes: usize,
    /// Whether the stream is broken, so that everything in it is gone.
    pub broken: bool,
}

/// What all streams of this node have lost, since its start. Owned by the cluster, read by anybody.
#[derive(Debug, Default)]
pub struct Losses {
    events: AtomicU64,
    broken_streams: AtomicU64,
}

impl Losses {
    /// Events that were appended for a peer that was up, and of which it is not known whether it
    /// ever got them, because their stream has ended.
    pub fn events(&self) -> u64 {
        self.events.load(Relaxed)
    }

    /// Streams that exceeded a bound.
    pub fn broken_streams(&self) -> u64 {
        self.broken_streams.load(Relaxed)
    }
}

impl Log {
    /// Which of this node's streams it is; a stream that was begun later has a higher one.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The peer has every entry up to this number.
    pub fn acked(&self) -> u64 {
        self.acked.load(Relaxed)
    }

    /// Whether nothing more is transmitted in it: it broke, another one replaces it, or the peer is
    /// down.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Appends an entry. `None` if it will not be transmitted, because the stream has ended or the
    /// entry is longer than [`MAX_ENTRY`]; a lost event is counted then, a lost fact is in the
    /// snapshot that the next stream begins with.
    ///
    /// A stream that exceeds its bounds by this breaks, and everything in it is dropped.
    pub fn append(&self, entry: Bytes, kind: EntryKind) -> Option<Appended> {
        self.push(entry, kind, Haste::Prompt)
    }

    /// Like [`append`](Self::append), for an entry whose acknowledgement somebody waits for: the
    /// peer is asked for it. While it is asked already, facts that come meanwhile wait for that a
    /// moment, to go out together.
    pub fn append_urgent(&self, entry: Bytes, kind: EntryKind) -> Option<Appended> {
        self.push(entry, kind, Haste::Urgent)
    }

    /// Like [`append`](Self::append), for an entry that is in no hurry: it waits a moment for
    /// others that it can go out with.
    pub fn append_patient(&self, entry: Bytes, kind: EntryKind) -> Option<Appended> {
        self.push(entry, kind, Haste::Patient)
    }

    /// What waits in it now.
    pub fn stats(&self) -> LogStats {
        match &self.state.lock().stream {
            StreamState::Open(window) => LogStats {
                unacked_entries: window.len(),
                unacked_bytes: window.bytes(),
                broken: false,
            },
            StreamState::Ended { end, .. } => {
                LogStats { broken: *end == End::Broken, ..LogStats::default() }
            }
        }
    }

    fn push(&self, entry: Bytes, kind: EntryKind, haste: Haste) -> Option<Appended> {
        let mut state = self.state.lock();
        let seq = match &mut state.stream {
            StreamState::Open(window) if entry.len() <= MAX_ENTRY => {
                let seq = window.push(entry, kind, haste);
                if window.bounded_bytes() > self.replay_bytes {
                    self.break_off(&mut state);
                    return None;
                }
                seq
            }
            StreamState::Ended { end: End::Down, .. } => return None,
            StreamState::Open(_) | StreamState::Ended { end: End::Broken, .. } => {
                self.losses.events.fetch_add((kind == EntryKind::Event).into(), Relaxed);
                return None;
            }
        };
        let wake = state.seen < state.stream.due();
        if wake {
            // It looks at all of it when it does.
            state.seen = Due::Now;
        }
        Some(Appended { seq, wake })
    }

    /// Breaks the stream if an entry has waited for too long.
    pub(crate) fn tick(&self, now: Now) {
        let mut state = self.state.lock();
        if let StreamState::Open(window) = &mut state.stream
            && window.expired(now, self.replay_age)
        {
            self.break_off(&mut state);
        }
    }

    /// The next run of entries to transmit; without any if there is nothing, in which case the
    /// driver is woken by the next one.
    pub(crate) fn take(&self) -> Run {
        let mut state = self.state.lock();
        let run = state.stream.take();
        state.seen = state.stream.due();
        run
    }

    /// Where the next run will begin, as a run without entries.
    pub(crate) fn position(&self) -> Run {
        self.state.lock().stream.position()
    }

    /// Whether there is something to transmit. If not, or not yet, the driver is woken by what
    /// changes that.
    pub(crate) fn look(&self) -> Due {
        let mut state = self.state.lock();
        state.seen = state.stream.due();
        state.seen
    }

    /// The peer has everything up to `seq`. Whether that was news.
    pub(crate) fn acknowledge(&self, seq: u64) -> bool {
        let mut state = self.state.lock();
        let StreamState::Open(window) = &mut state.stream else { return false };
        let news = window.acknowledge(seq);
        self.acked.store(window.acked(), Relaxed);
        news
    }

    /// Everything that is not acknowledged is to be transmitted again.
    pub(crate) fn rewind(&self) {
        if let StreamState::Open(window) = &mut self.state.lock().stream {
            window.rewind();
        }
    }

    /// A newer stream replaces this one.
    pub(crate) fn supersede(&self) {
        self.end(&mut self.state.lock(), End::Broken);
    }

    /// The peer is down.
    pub(crate) fn close(&self) {
        self.end(&mut self.state.lock(), End::Down);
    }

    fn break_off(&self, state: &mut LogState) {
        self.losses.broken_streams.fetch_add(1, Relaxed);
        self.end(state, End::Broken);
    }

    fn end(&self, state: &mut LogState, end: End) {
        let position = state.stream.position().first;
        if let StreamState::Open(window) = &state.stream
            && end == End::Broken
        {
            self.losses.events.fetch_add(window.events(), Relaxed);
        }
        state.stream = StreamState::Ended { position, end };
        self.ended.store(true, Relaxed);
    }
}

impl StreamState {
    fn take(&mut self) -> Run {
        match self {
            StreamState::Open(window) => window.take(),
            StreamState::Ended { .. } => self.position(),
        }
    }

    fn position(&self) -> Run {
        match self {
            StreamState::Open(window) => window.position(),
            StreamState::Ended { position, .. } => {
                Run { first: *position, entries: Vec::new(), urgent: false, resent: 0 }
            }
        }
    }

    fn due(&self) -> Due {
        match self {
            StreamState::Open(window) => window.due(),
            StreamState::Ended { .. } => Due::Nothing,
        }
    }
}

/// Begins this node's streams. Owned by the cluster.
pub(crate) struct Streams {
    /// The epoch of the stream begun last.
    epoch: u64,
    settings: Settings,
    losses: Arc<Losses>,
}

impl Streams {
    pub(crate) fn new(settings: Settings) -> Self {
        Streams { epoch: 0, settings, losses: Arc::default() }
    }

    /// An empty stream, with a higher epoch than all before.
    pub(crate) fn begin(&mut self) -> Arc<Log> {
        self.epoch += 1;
        Arc::new(Log {
            epoch: self.epoch,
            replay_bytes: self.settings.replay_bytes,
            replay_age: self.settings.replay_age,
            acked: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            losses: self.losses.clone(),
            state: Mutex::new(LogState {
                stream: StreamState::Open(Window::default()),
                seen: Due::Nothing,
            }),
        })
    }

    pub(crate) fn losses(&self) -> &Arc<Losses> {
        &self.losses
    }
}

impl std::fmt::Debug for LogState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("seen", &self.seen).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(replay_bytes: usize) -> Streams {
        Streams::new(Settings { replay_bytes, ..Settings::default() })
    }

    #[test]
    fn the_driver_is_woken_once_until_it_has_taken_everything() {
        let log = streams(1 << 20).begin();
        let wakes = |log: &Log| log.append("x".into(), EntryKind::Fact).unwrap().wake;
        assert!(wakes(&log));
        assert!(!wakes(&log));
        assert_eq!(log.take().entries.len(), 2);
        assert!(wakes(&log));
        for _ in 0..2000 {
            assert!(!wakes(&log));
        }
        log.take();
        assert!(!wakes(&log), "there is more to take, so the driver still runs");
        while log.look() != Due::Nothing {
            log.take();
        }
        assert!(wakes(&log));
    }

    #[test]
    fn the_driver_is_not_woken_for_what_may_wait_again() {
        let log = streams(1 << 20).begin();
        let patient = |log: &Log| log.append_patient("x".into(), EntryKind::Fact).unwrap().wake;
        assert!(patient(&log), "somebody has to look at the clock");
        assert_eq!(log.look(), Due::Soon);
        assert!(!patient(&log));
        assert!(log.append("x".into(), EntryKind::Event).unwrap().wake);
        assert!(!log.append("x".into(), EntryKind::Event).unwrap().wake);
        assert_eq!(log.take().entries.len(), 4);
        assert!(log.append_urgent("x".into(), EntryKind::Fact).unwrap().wake);
        log.take();
        assert!(log.append_urgent("x".into(), EntryKind::Fact).unwrap().wake);
        assert_eq!(log.look(), Due::Soon, "the answer is on its way");
        assert!(!log.append_urgent("x".into(), EntryKind::Fact).unwrap().wake);
    }

    #[test]
    fn too_many_bytes_break_the_stream() {
        let mut streams = streams(10_000);
        let log = streams.begin();
        log.append(vec![0; 20_000].into(), EntryKind::Snapshot).unwrap();
        log.append(vec![0; 3000].into(), EntryKind::Event).unwrap();
        log.append(vec![0; 3000].into(), EntryKind::Fact).unwrap();
        log.take();
        assert_eq!(log.append(vec![0; 4000].into(), EntryKind::Event), None);
        assert_eq!(log.stats(), LogStats { broken: true, ..LogStats::default() });
        assert_eq!((streams.losses().events(), streams.losses().broken_streams()), (2, 1));

        assert_eq!(log.append("late".into(), EntryKind::Event), None);
        assert_eq!(log.append("late".into(), EntryKind::Fact), None);
        assert_eq!((streams.losses().events(), streams.losses().broken_streams()), (3, 1));
        assert!(!log.acknowledge(1));
        assert_eq!(log.take(), Run { first: 4, entries: vec![], urgent: false, resent: 0 });
    }

    #[test]
    fn age_breaks_the_stream() {
        let mut streams = streams(10_000);
        let log = streams.begin();
        log.append("old".into(), EntryKind::Event).unwrap();
        log.tick(Duration::from_secs(1));
        log.tick(Duration::from_secs(31));
        assert!(!log.stats().broken);
        log.tick(Duration::from_secs(32));
        assert!(log.stats().broken);
        assert_eq!((streams.losses().events(), streams.losses().broken_streams()), (1, 1));
    }

    #[test]
    fn what_is_appended_for_a_peer_that_is_down_is_not_a_loss() {
        let mut streams = streams(10_000);
        let log = streams.begin();
        log.append("before".into(), EntryKind::Event).unwrap();
        log.close();
        assert!(log.is_ended());
        assert_eq!(log.append("after".into(), EntryKind::Event), None);
        assert_eq!(log.stats(), LogStats::default());
        assert_eq!(streams.losses().events(), 0);
    }

    #[test]
    fn an_entry_that_no_packet_can_carry_is_refused() {
        let mut streams = streams(usize::MAX);
        let log = streams.begin();
        let long = Bytes::from(vec![0; MAX_ENTRY + 1]);
        assert_eq!(log.append(long.clone(), EntryKind::Event), None);
        assert!(log.append(long.slice(1..), EntryKind::Event).is_some());
        assert_eq!((streams.losses().events(), log.stats().unacked_entries), (1, 1));
    }

    #[test]
    fn epochs_go_up() {
        let mut streams = streams(0);
        assert_eq!([1, 2, 3], [(); 3].map(|()| streams.begin().epoch()));
    }
}

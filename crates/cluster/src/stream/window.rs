//! The entries of a stream that are not acknowledged yet, and how far they are transmitted.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::Now;

/// How many bytes of entries a packet carries at most, unless a single entry is longer.
const PACKET_BYTES: usize = 256 << 10;
/// How many entries a packet carries at most: as many as one vectored write takes.
const PACKET_ENTRIES: usize = 1000;
/// Below this many the room for entries is kept, so that a quiet stream does not allocate.
const KEPT_ENTRIES: usize = 64;

/// How long an entry waits at most for others to go out with, see [`Haste`]. Drivers' clocks may make
/// twice that of it.
pub(crate) const LINGER: Duration = Duration::from_millis(1);

/// What becomes of an entry that gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A part of the snapshot that a stream begins with. It does not count against
    /// [`replay_bytes`](crate::Settings::replay_bytes): a snapshot larger than that would break
    /// its own stream, again and again.
    Snapshot,
    /// A change of a fact; if it gets lost, the next snapshot heals it.
    Fact,
    /// Something that nothing heals; if it gets lost, it is counted.
    Event,
}

/// How soon an entry goes out. A stream keeps its order, so whatever waits goes with the first one
/// that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// At once.
    Prompt,
    /// Somebody waits until the peer has it. At once; but a fact waits while the peer is about to
    /// acknowledge an earlier one, and goes out with everything else that comes until then, or
    /// after [`LINGER`].
    Urgent,
    /// With whatever goes out next, or after [`LINGER`].
    Patient,
}

/// Whether there is something to transmit, in the order of haste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Nothing,
    /// Something that may wait a moment for more.
    Soon,
    Now,
}

struct Unacked {
    entry: Bytes,
    kind: EntryKind,
}

impl Unacked {
    /// What it takes in memory; more than 0 even if the entry is empty.
    fn size(&self) -> usize {
        size_of::<Unacked>() + self.entry.len()
    }

    fn snapshot_size(&self) -> usize {
        if self.kind == EntryKind::Snapshot { self.size() } else { 0 }
    }
}

/// At `at`, all entries before `next` had been appended.
struct Mark {
    at: Now,
    next: u64,
}

/// A run of entries to transmit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The number of the first entry; of the next one to come if there is none.
    pub(crate) first: u64,
    /// The entries, numbered one after the other.
    pub(crate) entries: Vec<Bytes>,
    /// Whether somebody waits for the acknowledgement.
    pub(crate) urgent: bool,
    /// How many of the entries have been transmitted before.
    pub(crate) resent: u64,
}

/// The open part of one stream. Owned by its [`Log`](super::Log).
pub(crate) struct Window {
    /// The entries from `acked + 1` on.
    entries: VecDeque<Unacked>,
    /// The peer has everything up to here.
    acked: u64,
    /// The next entry to transmit; falls back when something has to be transmitted again.
    cursor: u64,
    /// The highest entry that has ever been transmitted.
    transmitted: u64,
    /// The highest entry that waits for no other.
    prompt: u64,
    /// The highest entry whose acknowledgement somebody waits for.
    urgent: u64,
    /// The highest one of those that was transmitted.
    asked: u64,
    bytes: usize,
    /// The part of `bytes` that is snapshot.
    snapshot_bytes: usize,
    /// When entries were appended, roughly, the oldest mark first.
    marks: VecDeque<Mark>,
}

impl Default for Window {
    fn default() -> Self {
        Window {
            entries: VecDeque::new(),
            acked: 0,
            cursor: 1,
            transmitted: 0,
            prompt: 0,
            urgent: 0,
            asked: 0,
            bytes: 0,
            snapshot_bytes: 0,
            marks: VecDeque::new(),
        }
    }
}

impl Window {
    /// The number that the next entry to be appended will have.
    fn next(&self) -> u64 {
        self.acked + 1 + self.entries.len() as u64
    }

    pub(crate) fn acked(&self) -> u64 {
        self.acked
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes that count against the bound.
    pub(crate) fn bounded_bytes(&self) -> usize {
        self.bytes - self.snapshot_bytes
    }

    /// Whether there is something to transmit.
    pub(crate) fn due(&self) -> Due {
        let answered = self.asked <= self.acked;
        match self.cursor {
            cursor if cursor >= self.next() => Due::Nothing,
            cursor if cursor <= self.prompt => Due::Now,
            cursor if cursor <= self.urgent && answered => Due::Now,
            _ => Due::Soon,
        }
    }

    /// Appends an entry and gives its number.
    pub(crate) fn push(&mut self, entry: Bytes, kind: EntryKind, haste: Haste) -> u64 {
        let seq = self.next();
        let unacked = Unacked { entry, kind };
        self.bytes += unacked.size();
        self.snapshot_bytes += unacked.snapshot_size();
        self.entries.push_back(unacked);
        match haste {
            Haste::Prompt => self.prompt = seq,
            Haste::Urgent if kind == EntryKind::Fact => self.urgent = seq,
            Haste::Urgent => (self.prompt, self.urgent) = (seq, seq),
            Haste::Patient => {}
        }
        seq
    }

    /// The next run to transmit; without entries if everything has been.
    pub(crate) fn take(&mut self) -> Run {
        let mut run = self.position();
        let mut bytes = 0;
        let from = (self.cursor - self.acked - 1) as usize;
        let waiting = self.entries.range(from..).take(PACKET_ENTRIES);
        run.entries.reserve_exact(waiting.len());
        for Unacked { entry, .. } in waiting {
            bytes += entry.len();
            if bytes > PACKET_BYTES && !run.entries.is_empty() {
                break;
            }
            run.entries.push(entry.clone());
        }
        self.cursor += run.entries.len() as u64;
        run.urgent = !run.entries.is_empty() && run.first <= self.urgent;
        if run.urgent {
            self.asked = self.asked.max(self.urgent.min(self.cursor - 1));
        }
        run.resent = (self.transmitted + 1).min(self.cursor).saturating_sub(run.first);
        self.transmitted = self.transmitted.max(self.cursor - 1);
        run
    }

    /// Where the next run will begin, as a run without entries.
    pub(crate) fn position(&self) -> Run {
        Run { first: self.cursor, entries: Vec::new(), urgent: false, resent: 0 }
    }

    /// Drops everything up to `seq`, which the peer has. Whether that was news; a number that was
    /// never transmitted is not.
    pub(crate) fn acknowledge(&mut self, seq: u64) -> bool {
        if seq <= self.acked || seq > self.transmitted {
            return false;
        }
        while self.acked < seq {
            let Some(unacked) = self.entries.pop_front() else { break };
            self.bytes -= unacked.size();
            self.snapshot_bytes -= unacked.snapshot_size();
            self.acked += 1;
        }
        self.cursor = self.cursor.max(self.acked + 1);
        if self.entries.is_empty() {
            self.entries.shrink_to(KEPT_ENTRIES);
        }
        true
    }

    /// Everything that is not acknowledged is to be transmitted again.
    pub(crate) fn rewind(&mut self) {
        self.cursor = self.acked + 1;
        self.prompt = self.prompt.max(self.transmitted);
    }

    /// Whether an entry has waited for longer than `age`, give or take the time between two calls:
    /// appending needs no clock, for each call marks how far the stream had come by then.
    pub(crate) fn expired(&mut self, now: Now, age: Duration) -> bool {
        while self.marks.front().is_some_and(|mark| mark.next <= self.acked + 1) {
            self.marks.pop_front();
        }
        if self.marks.front().is_some_and(|mark| now.saturating_sub(mark.at) > age) {
            return true;
        }
        // However often this is called, there are some 60 marks at most.
        let (at, next) = self.marks.back().map_or((None, self.acked + 1), |m| (Some(m.at), m.next));
        if next < self.next() && at.is_none_or(|at| now.saturating_sub(at) >= age / 60) {
            self.marks.push_back(Mark { at: now, next: self.next() });
        }
        false
    }

    /// How many events wait to be acknowledged.
    pub(crate) fn events(&self) -> u64 {
        self.entries.iter().filter(|unacked| unacked.kind == EntryKind::Event).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(entries: u64) -> Window {
        let mut window = Window::default();
        for n in 1..=entries {
            assert_eq!(window.push(n.to_string().into(), EntryKind::Fact, Haste::Prompt), n);
        }
        window
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn entries_are_taken_once_until_rewound() {
        let mut window = window(3);
        let run = window.take();
        assert_eq!((run.first, run.entries.len(), run.resent), (1, 3, 0));
        assert_eq!(window.due(), Due::Nothing);
        assert_eq!(window.take(), Run { first: 4, entries: vec![], urgent: false, resent: 0 });

        assert!(window.acknowledge(1));
        window.push("4".into(), EntryKind::Fact, Haste::Prompt);
        window.rewind();
        let run = window.take();
        assert_eq!((run.first, run.entries.len(), run.resent), (2, 3, 2));
        assert_eq!(run.entries[0], "2");
    }

    #[test]
    fn acknowledgements_free_and_only_go_up() {
        let mut window = window(3);
        assert!(!window.acknowledge(1), "was never transmitted");
        window.take();
        assert!(window.acknowledge(2));
        assert!(!window.acknowledge(1));
        assert!(!window.acknowledge(2));
        assert!(!window.acknowledge(4));
        assert_eq!((window.acked(), window.len()), (2, 1));
        assert!(window.acknowledge(3));
        assert_eq!((window.bytes(), window.bounded_bytes(), window.due()), (0, 0, Due::Nothing));
    }

    #[test]
    fn an_acknowledgement_of_what_is_to_be_sent_again_spares_it() {
        let mut window = window(5);
        window.take();
        window.rewind();
        window.acknowledge(4);
        assert_eq!(window.take().first, 5);
    }

    #[test]
    fn a_run_is_bounded_but_never_empty() {
        let mut window = Window::default();
        let long = Bytes::from(vec![0; PACKET_BYTES + 1]);
        window.push(long.clone(), EntryKind::Event, Haste::Prompt);
        window.push(long.slice(..PACKET_BYTES), EntryKind::Event, Haste::Prompt);
        for _ in 0..PACKET_ENTRIES + 1 {
            window.push(Bytes::new(), EntryKind::Event, Haste::Prompt);
        }
        let lengths: Vec<usize> = std::iter::from_fn(|| Some(window.take().entries.len()))
            .take_while(|length| *length > 0)
            .collect();
        assert_eq!(lengths, [1, PACKET_ENTRIES, 2]);
    }

    #[test]
    fn runs_ask_for_an_acknowledgement_up_to_the_urgent_entry() {
        let mut window = window(PACKET_ENTRIES as u64);
        window.push("urgent".into(), EntryKind::Fact, Haste::Urgent);
        assert!(window.take().urgent);
        assert!(window.take().urgent);
        window.push("not".into(), EntryKind::Fact, Haste::Prompt);
        assert!(!window.take().urgent);
    }

    #[test]
    fn snapshots_do_not_count_against_the_bound() {
        let mut window = Window::default();
        window.push("snapshot".into(), EntryKind::Snapshot, Haste::Prompt);
        assert_eq!(window.bounded_bytes(), 0);
        window.push("fact".into(), EntryKind::Fact, Haste::Prompt);
        assert_eq!(window.bounded_bytes(), window.bytes() / 2 - 2);
        window.take();
        window.acknowledge(2);
        assert_eq!((window.bytes(), window.bounded_bytes()), (0, 0));
    }

    #[test]
    fn entries_expire_unless_acknowledged() {
        let (mut window, age) = (window(1), seconds(30));
        assert!(!window.expired(seconds(1), age));
        window.take();
        window.push("2".into(), EntryKind::Fact, Haste::Prompt);
        assert!(!window.expired(seconds(11), age));
        window.acknowledge(1);
        assert!(!window.expired(seconds(41), age), "the first would have, the second has not yet");
        assert!(window.expired(seconds(42), age));
    }

    #[test]
    fn marks_are_few_however_often_they_are_made() {
        let mut window = Window::default();
        for n in 0..30_000 {
            window.push("x".into(), EntryKind::Fact, Haste::Prompt);
            assert!(!window.expired(Duration::from_millis(n), seconds(30)));
        }
        assert!(window.marks.len() <= 61);
    }

    #[test]
    fn what_is_in_a_hurry_takes_along_what_is_not() {
        let mut window = Window::default();
        window.push("patient".into(), EntryKind::Fact, Haste::Patient);
        assert_eq!(window.due(), Due::Soon);
        window.push("prompt".into(), EntryKind::Event, Haste::Prompt);
        assert_eq!(window.due(), Due::Now);
        assert_eq!(window.take().entries.len(), 2);
        window.push("patient".into(), EntryKind::Fact, Haste::Patient);
        assert_eq!(window.due(), Due::Soon);
        window.rewind();
        assert_eq!(window.due(), Due::Now, "what was on its way already");
    }

    #[test]
    fn urgent_facts_wait_for_the_answer_to_those_before() {
        let mut window = Window::default();
        let fact = |window: &mut Window| window.push("x".into(), EntryKind::Fact, Haste::Urgent);
        fact(&mut window);
        assert_eq!(window.due(), Due::Now);
        window.take();
        fact(&mut window);
        fact(&mut window);
        assert_eq!(window.due(), Due::Soon);
        window.acknowledge(1);
        assert_eq!(window.due(), Due::Now);
        assert_eq!(window.take().entries.len(), 2);
        window.acknowledge(2);
        fact(&mut window);
        assert_eq!(window.due(), Due::Soon, "the third is not answered");
        window.push("x".into(), EntryKind::Snapshot, Haste::Urgent);
        assert_eq!(window.due(), Due::Now);
    }
}

//! One node: a cluster with an owner that tells numbers, and checks what it is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use cluster::{
    Appended, Cluster, EntryKind, Incarnation, Log, Now, Output, PeerInfo, Reason, Settings, Slot,
};
use testkit::simulated::Random;

/// What really arrived: the newest (epoch, seq) by (sender, receiver).
pub(crate) type Truth = BTreeMap<(Incarnation, Incarnation), (u64, u64)>;

/// How many entries a snapshot has.
const SNAPSHOT: u64 = 2;

pub(crate) struct Node {
    pub(crate) info: PeerInfo,
    pub(crate) cluster: Cluster,
    pub(crate) ready: bool,
    /// How many things happened at this node; each is told to every peer.
    pub(crate) counter: u64,
    pub(crate) views: BTreeMap<Slot, View>,
    /// The last number heard of each incarnation, whatever slots and streams it came by.
    heard: BTreeMap<Incarnation, u64>,
    /// Slots that are down and not forgotten yet.
    down: Vec<Slot>,
    /// How often a stream to a peer that was up was begun anew.
    pub(crate) streams_renewed: u64,
}

/// A peer as its owner knows it.
pub(crate) struct View {
    pub(crate) incarnation: Incarnation,
    pub(crate) ready: bool,
    /// The last number that it told in its stream.
    pub(crate) number: u64,
    log: Arc<Log>,
    appended: u64,
    acked: u64,
    /// Whether a stream from it has begun, and the last entry in it.
    begun: bool,
    epoch: u64,
    seq: u64,
}

/// An entry: which one it is, in which stream, and the number that it tells.
struct Entry {
    kind: u8,
    epoch: u64,
    seq: u64,
    number: u64,
}

impl Entry {
    fn encode(&self, padding: u64) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(self.kind);
        out.put_u64(self.epoch);
        out.put_u64(self.seq);
        out.put_u64(self.number);
        out.put_bytes(0, padding as usize);
        out.freeze()
    }

    fn decode(mut wire: Bytes) -> Entry {
        let kind = wire.get_u8();
        Entry { kind, epoch: wire.get_u64(), seq: wire.get_u64(), number: wire.get_u64() }
    }
}

/// One of the ways to append to a log.
type Append = fn(&Log, Bytes, EntryKind) -> Option<Appended>;

impl Node {
    pub(crate) fn new(incarnation: Incarnation, name: String, settings: Settings) -> Self {
        Node {
            info: PeerInfo { incarnation, name, version: 1, agreement: 1 },
            cluster: Cluster::new(incarnation, settings),
            ready: false,
            counter: 0,
            views: BTreeMap::new(),
            heard: BTreeMap::new(),
            down: Vec::new(),
            streams_renewed: 0,
        }
    }

    /// Something happens here, and every peer is told.
    pub(crate) fn happen(&mut self, random: &mut Random) {
        self.counter += 1;
        let kind = random.pick(&[EntryKind::Fact, EntryKind::Event]);
        let padding = if random.one_in(50) { 5000 } else { random.between(0, 100) };
        let append = match random.between(0, 3) {
            0 => Log::append_urgent,
            1 if kind == EntryKind::Fact => Log::append_patient,
            _ => Log::append,
        };
        for view in self.views.values_mut() {
            view.append(kind, self.counter, padding, append);
        }
    }

    /// A peer is found; a predecessor that it replaces may be known to be lost.
    pub(crate) fn found(&mut self, now: Now, info: &PeerInfo, random: &mut Random) {
        let statuses = self.cluster.peers(now);
        let is_predecessor =
            |peer: &PeerInfo| peer.name == info.name && peer.incarnation != info.incarnation;
        for old in statuses.iter().filter(|status| is_predecessor(&status.info)) {
            if random.one_in(2) {
                self.cluster.lost(old.info.incarnation);
            }
        }
        self.cluster.found(now, info.clone());
    }

    /// Forgets some of the slots that are down.
    pub(crate) fn forget(&mut self, random: &mut Random) {
        if !self.down.is_empty() && random.one_in(3) {
            self.cluster.forget(self.down.remove(0));
        }
    }

    /// Takes all outputs, and gives the peers that went down.
    pub(crate) fn drain(&mut self, truth: &mut Truth) -> Vec<(Incarnation, Reason)> {
        let mut gone = Vec::new();
        while let Some(output) = self.cluster.poll_output() {
            match output {
                Output::Up { slot, info, log } => {
                    assert!(!self.down.contains(&slot), "{slot:?} is not forgotten");
                    let mut view = View::new(info.incarnation, log);
                    view.append_snapshot(self.counter);
                    assert!(self.views.insert(slot, view).is_none(), "{slot:?} is taken");
                }
                Output::Stream { slot, log } => {
                    self.streams_renewed += 1;
                    let view = self.view(slot);
                    assert!(log.epoch() > view.log.epoch(), "epochs go up");
                    (view.log, view.appended, view.acked) = (log, 0, 0);
                    let counter = self.counter;
                    self.view(slot).append_snapshot(counter);
                }
                Output::Restarted { slot } => {
                    let view = self.view(slot);
                    (view.begun, view.seq) = (true, 0);
                }
                Output::Entry { slot, entry } => self.hear(slot, Entry::decode(entry), truth),
                Output::Acked { slot, epoch, seq } => {
                    let me = self.info.incarnation;
                    let view = self.view(slot);
                    assert_eq!(epoch, view.log.epoch());
                    assert!(seq > view.acked && seq <= view.appended, "acknowledged {seq}");
                    view.acked = seq;
                    let arrived = truth.get(&(me, view.incarnation)).copied().unwrap_or_default();
                    assert!(arrived >= (epoch, seq), "{seq} is acknowledged, {arrived:?} arrived");
                }
                Output::Ready { slot, ready } => {
                    let view = self.view(slot);
                    assert_ne!(view.ready, ready, "only changes are told");
                    view.ready = ready;
                }
                Output::Down { slot, incarnation, reason } => {
                    let view = self.views.remove(&slot).expect("only what is up can go down");
                    assert_eq!(view.incarnation, incarnation);
                    self.down.push(slot);
                    gone.push((incarnation, reason));
                }
            }
        }
        gone
    }

    /// What remains to be acknowledged, over all peers.
    pub(crate) fn unacked(&self) -> usize {
        self.views.values().map(|view| view.log.stats().unacked_entries).sum()
    }

    fn view(&mut self, slot: Slot) -> &mut View {
        self.views.get_mut(&slot).expect("nothing comes from a slot that is not up")
    }

    fn hear(&mut self, slot: Slot, entry: Entry, truth: &mut Truth) {
        let me = self.info.incarnation;
        let view = self.view(slot);
        assert!(view.begun, "an entry before its stream");
        view.seq += 1;
        assert_eq!(entry.seq, view.seq, "in order, none missing, none twice");
        if view.seq == 1 {
            assert!(entry.epoch > view.epoch, "a newer stream");
            (view.epoch, view.number) = (entry.epoch, entry.number);
        }
        assert_eq!(entry.epoch, view.epoch, "of one stream");
        assert_eq!(entry.kind == b'S', view.seq <= SNAPSHOT, "a stream begins with its snapshot");
        let told = if entry.kind == b'S' { view.number } else { view.number + 1 };
        assert_eq!(entry.number, told, "nothing is missing between what is told");
        view.number = entry.number;

        let (incarnation, arrived) = (view.incarnation, (view.epoch, view.seq));
        let known = self.heard.entry(incarnation).or_default();
        let news = entry.number > *known || (entry.kind == b'S' && entry.number == *known);
        assert!(news, "{} comes again", entry.number);
        *known = entry.number;
        truth.insert((incarnation, me), arrived);
    }
}

impl View {
    fn new(incarnation: Incarnation, log: Arc<Log>) -> Self {
        let (ready, begun) = (false, false);
        let (number, appended, acked, epoch, seq) = (0, 0, 0, 0, 0);
        View { incarnation, ready, number, log, appended, acked, begun, epoch, seq }
    }

    fn append_snapshot(&mut self, number: u64) {
        for _ in 0..SNAPSHOT {
            self.append(EntryKind::Snapshot, number, 10, Log::append);
        }
    }

    fn append(&mut self, kind: EntryKind, number: u64, padding: u64, append: Append) {
        let (epoch, seq) = (self.log.epoch(), self.appended + 1);
        let letter = if kind == EntryKind::Snapshot { b'S' } else { b'.' };
        let entry = Entry { kind: letter, epoch, seq, number }.encode(padding);
        if let Some(appended) = append(&self.log, entry, kind) {
            assert_eq!(appended.seq, seq);
            self.appended = seq;
        }
    }
}

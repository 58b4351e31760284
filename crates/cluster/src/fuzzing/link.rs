//! A node that knows one peer, and whatever comes in the name of that peer.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use crate::{
    Cluster, EntryKind, Flags, Header, Incarnation, Log, Now, Output, Packet, PeerInfo, Received,
    Settings,
};

const NEAR: Incarnation = Incarnation(1);
const FAR: Incarnation = Incarnation(2);
/// How many of the peer's packets are kept, to come late or again.
const KEPT: usize = 8;
/// How many outputs a packet causes besides its entries: a stream of ours, one of the peer's,
/// whether it is ready, an acknowledgement, and that it is down.
const OUTPUTS: usize = 5;

/// Plays a script of steps, four bytes each, to a node that knows one peer. The peer is a node, too,
/// but its packets get lost, come again, late or changed. The node keeps its promises to its owner
/// (see [`Output`]), what it refuses changes nothing, everything that it sends is a packet, and
/// nothing piles up.
pub fn link(script: &[u8]) {
    let mut scene = Scene::new();
    for step in script.chunks(4) {
        let mut padded = [0; 4];
        padded[..step.len()].copy_from_slice(step);
        scene.step(padded);
    }
}

struct Scene {
    now: Now,
    near: Cluster,
    far: Cluster,
    /// The peer's packets, the oldest first.
    flying: Vec<Bytes>,
    /// What the peer acknowledges next, and so on: what it would say of itself.
    header: Header,
    owner: Owner,
    far_log: Option<Arc<Log>>,
}

/// The near node's owner, who checks what it is told.
#[derive(Default)]
struct Owner {
    /// Our stream to the peer, and how many entries are in it; none while the peer is down.
    log: Option<(Arc<Log>, u64)>,
    /// The peer's stream has begun.
    begun: bool,
}

fn info(incarnation: Incarnation) -> PeerInfo {
    let agreement = Settings::default().agreement;
    PeerInfo { incarnation, name: String::new(), version: crate::VERSION, agreement }
}

impl Scene {
    fn new() -> Self {
        let settings = Settings { replay_bytes: 4 << 10, ..Settings::default() };
        let header = Header {
            from: FAR,
            to: NEAR,
            flags: Flags::default(),
            since: 1,
            epoch: 1,
            first: 1,
            ack_epoch: 1,
            ack: 0,
        };
        let mut scene = Scene {
            now: Now::ZERO,
            near: Cluster::new(NEAR, settings.clone()),
            far: Cluster::new(FAR, settings),
            flying: Vec::new(),
            header,
            owner: Owner::default(),
            far_log: None,
        };
        scene.meet();
        scene
    }

    fn step(&mut self, [what, a, b, c]: [u8; 4]) {
        match what % 10 {
            0 => self.meet(),
            1 => append(self.far_log.as_ref(), a, b),
            2 => self.owner.append(a, b),
            3 => self.far_sends(),
            4 => self.near_sends(a % 4 == 0),
            5 => self.arrives(a, |_| {}),
            6 => self.arrives(a, |wire| change(wire, b, c)),
            7 => self.comes(a, b, c),
            8 => self.time_passes(Duration::from_millis(u64::from(a) * 10)),
            _ => match a % 4 {
                0 => self.near.reconnected(FAR),
                1 => self.near.set_ready(b % 2 == 0),
                2 => self.far.set_ready(b % 2 == 0),
                _ => self.near.set_blind(self.now, b % 2 == 0),
            },
        }
        self.drain();
    }

    /// Both nodes are found, if they do not know each other already.
    fn meet(&mut self) {
        self.near.found(self.now, info(FAR));
        self.far.found(self.now, info(NEAR));
        self.drain();
    }

    fn far_sends(&mut self) {
        while let Some(packet) = self.far.next_packet(self.now, NEAR) {
            self.header = packet.header;
            self.flying.push(packet.to_bytes());
        }
        let surplus = self.flying.len().saturating_sub(KEPT);
        self.flying.drain(..surplus);
    }

    fn near_sends(&mut self, lost: bool) {
        let peers = self.near.peers(self.now);
        let waiting: usize = peers.iter().map(|peer| peer.unacked_entries).sum();
        let mut packets = 0;
        while let Some(packet) = self.near.next_packet(self.now, FAR) {
            packets += 1;
            assert!(packets <= 1 + waiting, "{packets} packets for {waiting} entries");
            let packet = Packet::decode(packet.to_bytes()).expect("what a node sends is a packet");
            assert_eq!((packet.header.from, packet.header.to), (NEAR, FAR));
            if !lost {
                self.far.receive(self.now, packet);
            }
        }
    }

    /// One of the peer's packets arrives, changed on its way; perhaps not for the first time.
    fn arrives(&mut self, which: u8, change: impl FnOnce(&mut BytesMut)) {
        if self.flying.is_empty() {
            return;
        }
        let mut wire = BytesMut::from(self.flying[usize::from(which) % self.flying.len()].clone());
        change(&mut wire);
        if let Ok(packet) = Packet::decode(wire.freeze()) {
            self.receive(packet);
        }
    }

    /// A packet comes that the peer never sent: its newest one, with one number changed.
    fn comes(&mut self, field: u8, difference: u8, entries: u8) {
        let mut header = self.header;
        let number = match field % 6 {
            0 => &mut header.since,
            1 => &mut header.epoch,
            2 => &mut header.first,
            3 => &mut header.ack_epoch,
            4 => &mut header.ack,
            _ => {
                header.flags = Flags(difference.into());
                &mut header.ack
            }
        };
        *number = number.wrapping_add_signed(i64::from(difference as i8));
        let entries = vec![Bytes::from_static(b"invented"); usize::from(entries % 8)];
        // Whatever it has become, it has to be a packet to get any further.
        if let Ok(packet) = Packet::decode(Packet { header, entries }.to_bytes()) {
            self.receive(packet);
        }
    }

    fn receive(&mut self, packet: Packet) {
        let before = format!("{:?}", self.near.peers(self.now));
        let most = OUTPUTS + packet.entries.len();
        let received = self.near.receive(self.now, packet);
        let outputs = self.drain();
        assert!(outputs <= most, "{outputs} outputs, at most {most} were expected");
        if received != Received::Taken {
            assert_eq!(outputs, 0, "{received:?}");
            assert_eq!(format!("{:?}", self.near.peers(self.now)), before, "{received:?}");
        }
    }

    fn time_passes(&mut self, time: Duration) {
        self.now += time;
        self.near.tick(self.now);
        self.far.tick(self.now);
    }

    /// Tells the owners what has happened. How many outputs the near node had.
    fn drain(&mut self) -> usize {
        while let Some(output) = self.far.poll_output() {
            match output {
                Output::Up { log, .. } | Output::Stream { log, .. } => self.far_log = Some(log),
                Output::Down { slot, .. } => self.far.forget(slot),
                _ => {}
            }
        }
        let mut outputs = 0;
        while let Some(output) = self.near.poll_output() {
            outputs += 1;
            if let Output::Down { slot, .. } = output {
                self.near.forget(slot);
            }
            self.owner.hear(output);
        }
        let peers = self.near.peers(self.now);
        assert_eq!(peers.len(), usize::from(self.owner.log.is_some()));
        for peer in peers {
            let appended = self.owner.log.as_ref().map_or(0, |(_, appended)| *appended);
            assert_eq!((peer.slot.0, &peer.info), (1, &info(FAR)));
            assert!(peer.unacked_entries as u64 <= appended);
        }
        outputs
    }
}

impl Owner {
    fn append(&mut self, kind: u8, length: u8) {
        if let Some((log, appended)) = &mut self.log {
            append(Some(log), kind, length);
            *appended += 1;
        }
    }

    fn hear(&mut self, output: Output) {
        match output {
            Output::Up { log, .. } => {
                assert!(self.log.is_none(), "up twice");
                *self = Owner { log: Some((log, 0)), begun: false };
            }
            Output::Stream { log, .. } => {
                let before = self.log.replace((log.clone(), 0)).expect("a peer that is up");
                assert!(before.0.is_ended() && before.0.epoch() < log.epoch());
            }
            Output::Restarted { .. } => {
                assert!(self.log.is_some(), "a peer that is up");
                self.begun = true;
            }
            Output::Entry { .. } => assert!(self.begun, "an entry before its stream"),
            Output::Acked { epoch, seq, .. } => {
                let (log, appended) = self.log.as_ref().expect("a peer that is up");
                assert!(epoch == log.epoch() && seq <= *appended && seq <= log.acked());
            }
            Output::Ready { .. } => assert!(self.log.is_some(), "a peer that is up"),
            Output::Down { .. } => {
                let (log, _) = self.log.take().expect("down twice");
                assert!(log.is_ended());
                self.begun = false;
            }
        }
    }
}

fn append(log: Option<&Arc<Log>>, kind: u8, length: u8) {
    let Some(log) = log else { return };
    let entry = Bytes::from(vec![kind; length.into()]);
    match kind % 4 {
        0 => log.append(entry, EntryKind::Snapshot),
        1 => log.append(entry, EntryKind::Event),
        2 => log.append_urgent(entry, EntryKind::Fact),
        _ => log.append_patient(entry, EntryKind::Fact),
    };
}

/// Changes one byte, or all that follow it are lost.
fn change(wire: &mut BytesMut, at: u8, change: u8) {
    let at = usize::from(at) % wire.len();
    match change {
        0 => wire.truncate(at),
        1 => wire.put_u8(at as u8),
        _ => wire[at] ^= change,
    }
}

//! One peer: the stream to it, the stream from it, and what is owed to it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::incoming::{Incoming, Standing};
use super::packet::{Flags, Header, Packet};
use crate::stream::{Due, LINGER, Streams};
use crate::{Incarnation, Log, Now, Output, PeerInfo, PeerStatus, Slot};

/// After this many received entries an acknowledgement is owed.
const ACK_ENTRIES: usize = 256;
/// After this many received bytes an acknowledgement is owed.
const ACK_BYTES: usize = 128 << 10;
/// For this long, repeated requests to resend from one position are taken for one: packets that
/// were on their way already show the same gap, each of them.
const RESEND_PAUSE: Duration = Duration::from_millis(50);

/// What this node says of itself in every packet.
pub(crate) struct Speaker {
    pub(crate) me: Incarnation,
    pub(crate) ready: bool,
    pub(crate) leaving: bool,
}

/// A live peer, from when it is found until it is down. Owned by the cluster.
pub(crate) struct Peer {
    info: PeerInfo,
    slot: Slot,
    /// The epoch of the first stream to it, which tells it whether we have forgotten it.
    since: u64,
    log: Arc<Log>,
    incoming: Incoming,
    ready: bool,
    /// The last sign of life.
    heard: Now,
    /// When the last packet was handed out.
    sent: Now,
    /// A packet is due, even without entries.
    owed: bool,
    /// Entries wait for others until then.
    lingers: Option<Now>,
    /// The next packet asks to resend.
    missing: bool,
    /// The goodbye is said; nothing follows.
    parted: bool,
    /// What was received since the last acknowledgement.
    unacknowledged_entries: usize,
    unacknowledged_bytes: usize,
    /// The position to which the log was rewound last, and when.
    rewound: Option<(u64, Now)>,
    resent: u64,
    streams_begun: u64,
}

impl Peer {
    pub(crate) fn new(now: Now, slot: Slot, info: PeerInfo, log: Arc<Log>) -> Self {
        Peer {
            info,
            slot,
            since: log.epoch(),
            log,
            incoming: Incoming::default(),
            ready: false,
            heard: now,
            sent: now,
            owed: true,
            lingers: None,
            missing: false,
            parted: false,
            unacknowledged_entries: 0,
            unacknowledged_bytes: 0,
            rewound: None,
            resent: 0,
            streams_begun: 1,
        }
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// A sign of life.
    pub(crate) fn hear(&mut self, now: Now) {
        self.heard = now;
    }

    pub(crate) fn silent_for(&self, now: Now) -> Duration {
        now.saturating_sub(self.heard)
    }

    /// A packet is due, whether there are entries or not.
    pub(crate) fn owe(&mut self) {
        self.owed = true;
    }

    /// What is not acknowledged is transmitted again, at once.
    pub(crate) fn reconnected(&mut self) {
        self.log.rewind();
        self.rewound = None;
        self.owed = true;
    }

    pub(crate) fn tick(&mut self, now: Now, heartbeat: Duration) {
        self.log.tick(now);
        self.owed |= now.saturating_sub(self.sent) >= heartbeat;
    }

    /// Takes a packet from this peer, except for its goodbye.
    pub(crate) fn receive(
        &mut self,
        now: Now,
        packet: Packet,
        streams: &mut Streams,
        outputs: &mut VecDeque<Output>,
    ) {
        let Packet { header, mut entries } = packet;
        let standing = self.incoming.place(&header);
        if standing == Standing::Stale {
            return;
        }
        if standing == Standing::FoundAnew || self.log.stats().broken {
            self.begin_stream(streams, outputs);
        }
        if standing != Standing::Known {
            outputs.push_back(Output::Restarted { slot: self.slot });
            self.missing = false;
            self.owed = true; // so that the peer learns soon that we know its stream
        }
        let ready = header.flags.has(Flags::READY);
        if ready != self.ready {
            self.ready = ready;
            outputs.push_back(Output::Ready { slot: self.slot, ready });
        }
        self.take_acknowledgement(now, &header, outputs);
        if header.ack_epoch < self.since {
            return; // The sender may not have noticed yet that we had forgotten it.
        }
        self.missing |= self.incoming.accept(header.first, &mut entries);
        self.unacknowledged_entries += entries.len();
        for entry in entries {
            self.unacknowledged_bytes += entry.len();
            outputs.push_back(Output::Entry { slot: self.slot, entry });
        }
        self.owed |= self.missing
            || header.flags.has(Flags::ACK_NOW)
            || self.unacknowledged_entries >= ACK_ENTRIES
            || self.unacknowledged_bytes >= ACK_BYTES;
    }

    fn begin_stream(&mut self, streams: &mut Streams, outputs: &mut VecDeque<Output>) {
        self.log.supersede();
        self.log = streams.begin();
        self.rewound = None;
        self.streams_begun += 1;
        self.owed = true;
        outputs.push_back(Output::Stream { slot: self.slot, log: self.log.clone() });
    }

    fn take_acknowledgement(&mut self, now: Now, header: &Header, outputs: &mut VecDeque<Output>) {
        let &Header { ack_epoch: epoch, ack: seq, .. } = header;
        if epoch != self.log.epoch() {
            return;
        }
        if self.log.acknowledge(seq) {
            outputs.push_back(Output::Acked { slot: self.slot, epoch, seq });
        }
        // A request from before the last acknowledgement has been overtaken and means nothing.
        if header.flags.has(Flags::RESEND) && seq == self.log.acked() {
            let repeated =
                self.rewound.is_some_and(|(at, when)| at == seq && now < when + RESEND_PAUSE);
            if !repeated {
                self.log.rewind();
                self.rewound = Some((seq, now));
            }
        }
    }

    /// Whether [`next_packet`](Self::next_packet) has something.
    pub(crate) fn has_output(&mut self, now: Now, leaving: bool) -> bool {
        !self.parted && (self.owed || leaving || self.has_entries(now))
    }

    /// Until when entries wait for others that they can go out with.
    pub(crate) fn lingers(&self) -> Option<Now> {
        self.lingers
    }

    fn has_entries(&mut self, now: Now) -> bool {
        if !self.incoming.heard() {
            return false;
        }
        match self.log.look() {
            Due::Nothing => {
                self.lingers = None;
                false
            }
            Due::Soon => *self.lingers.get_or_insert(now + LINGER) <= now,
            Due::Now => true,
        }
    }

    /// The next packet to this peer, if one is due.
    pub(crate) fn next_packet(&mut self, now: Now, speaker: &Speaker) -> Option<Packet> {
        if !self.has_output(now, speaker.leaving) {
            return None;
        }
        let run = if self.incoming.heard() { self.log.take() } else { self.log.position() };
        if run.entries.is_empty() && !self.owed && !speaker.leaving {
            return None;
        }
        let (ack_epoch, ack) = self.incoming.acknowledgement();
        let flags = Flags::default()
            .with(Flags::ACK_NOW, run.urgent)
            .with(Flags::RESEND, self.missing)
            .with(Flags::READY, speaker.ready)
            .with(Flags::GOODBYE, speaker.leaving);
        let header = Header {
            from: speaker.me,
            to: self.info.incarnation,
            flags,
            since: self.since,
            epoch: self.log.epoch(),
            first: run.first,
            ack_epoch,
            ack,
        };
        self.resent += run.resent;
        self.sent = now;
        self.owed = false;
        self.lingers = None;
        self.missing = false;
        self.parted = speaker.leaving;
        self.unacknowledged_entries = 0;
        self.unacknowledged_bytes = 0;
        Some(Packet { header, entries: run.entries })
    }

    pub(crate) fn status(&self, now: Now) -> PeerStatus {
        let log = self.log.stats();
        PeerStatus {
            info: self.info.clone(),
            slot: self.slot,
            silent_for: self.silent_for(now),
            ready: self.ready,
            unacked_entries: log.unacked_entries,
            unacked_bytes: log.unacked_bytes,
            gaps: self.incoming.gaps(),
            resent: self.resent,
            streams_begun: self.streams_begun,
            broken: log.broken,
        }
    }
}

//! One node: the channels and the cluster as the server joins them, without the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use channels::announcer::Speaker;
use channels::registry::{Change, NodeId, Registry, STRIPES, ShardId};
use channels::replication::{Message, Tickets};
use channels::{Channels, Peers, Settings as ChannelSettings};
use cluster::{Cluster, Incarnation, Now, Output, PeerInfo, Settings};

use crate::Channel;
use crate::ledger::Ledger;
use crate::load::Names;
use crate::outside::Outside;
use crate::socket::{Socket, SocketNumber};
use crate::{speaking, version};

/// The one app.
pub(crate) const APP: &str = "app";

pub(crate) struct Node {
    pub(crate) info: PeerInfo,
    pub(crate) app: Arc<str>,
    pub(crate) cluster: Cluster,
    pub(crate) channels: Channels<Outside>,
    pub(crate) peers: Peers,
    pub(crate) speaker: Speaker,
    pub(crate) sockets: BTreeMap<SocketNumber, Socket>,
    /// When the driver looks by itself.
    pub(crate) lingers: Option<Now>,
    /// Peers that went down, whose connections are to be closed.
    pub(crate) gone: Vec<Incarnation>,
    /// Whether it takes in clients.
    pub(crate) serves: bool,
    pub(crate) started: u64,
    /// The number that the last socket got.
    pub(crate) last_socket: u64,
    /// Since when this node has had subscribers of a channel, and what the others know when they know
    /// of it.
    pub(crate) interest: BTreeMap<Channel, (Now, Tickets)>,
}

impl Node {
    pub(crate) fn new(
        now: u64,
        incarnation: Incarnation,
        name: String,
        settings: Settings,
        names: &Names,
    ) -> Self {
        Node {
            info: PeerInfo { incarnation, name, version: 1, agreement: settings.agreement },
            app: APP.into(),
            cluster: Cluster::new(incarnation, settings),
            channels: channels(incarnation, names),
            peers: Peers::default(),
            speaker: Speaker::new(incarnation.0, speaking::SETTINGS),
            sockets: BTreeMap::new(),
            lingers: None,
            gone: Vec::new(),
            serves: false,
            started: now,
            last_socket: 0,
            interest: BTreeMap::new(),
        }
    }

    pub(crate) fn me(&self) -> Incarnation {
        self.info.incarnation
    }

    pub(crate) fn outside(&self) -> &Outside {
        self.channels.runtime()
    }

    /// Has the driver look what there is to send.
    pub(crate) fn wake(&self) {
        self.outside().woken.set(true);
    }

    /// A heartbeat's time has passed.
    pub(crate) fn tick(&mut self, now: Now, ledger: &mut Ledger) {
        self.cluster.tick(now);
        self.drain(ledger);
        self.peers.tick(&self.channels);
        self.carry_out(ledger);
    }

    /// Whoever has waited for long enough goes on.
    pub(crate) fn look_at_deadline(&mut self, now: Now, ledger: &mut Ledger) {
        if self.channels.deadline().is_some_and(|deadline| deadline <= now) {
            let before = self.channels.sizes().unanswered_claims;
            self.channels.tick();
            ledger.summary.unanswered += self.channels.sizes().unanswered_claims - before;
            self.carry_out(ledger);
        }
    }

    /// Takes everything that comes out of the cluster after an input.
    pub(crate) fn drain(&mut self, ledger: &mut Ledger) {
        self.wake();
        while let Some(output) = self.cluster.poll_output() {
            self.write_down(&output, ledger);
            let renews = matches!(output, Output::Stream { .. });
            if let Some(slot) = self.peers.take(&self.channels, output) {
                self.cluster.forget(slot);
            }
            ledger.summary.long_snapshots += u64::from(renews && !self.peers.has_told());
            self.carry_out(ledger);
        }
    }

    /// What the ledger has to know of what comes out of the cluster.
    fn write_down(&mut self, output: &Output, ledger: &mut Ledger) {
        let me = self.me();
        let incarnation = |slot| self.peers.info(slot).expect("it is up").incarnation;
        match output {
            Output::Up { slot, .. } => {
                assert!(self.peers.info(*slot).is_none(), "{slot:?} is taken")
            }
            Output::Stream { slot, .. } => {
                ledger.summary.streams_renewed += 1;
                ledger.disturb(me, incarnation(*slot));
                ledger.is_not_whole(incarnation(*slot), me);
            }
            Output::Restarted { slot } => ledger.is_not_whole(me, incarnation(*slot)),
            Output::Entry { slot, entry } => {
                write_down_entry(me, incarnation(*slot), entry, ledger)
            }
            Output::Acked { .. } | Output::Ready { .. } => {}
            Output::Down { incarnation, .. } => {
                ledger.summary.deaths += 1;
                ledger.disturb(me, *incarnation);
                ledger.is_not_whole(me, *incarnation);
                self.gone.push(*incarnation);
            }
        }
    }

    /// Hands what was noted to the announcer.
    pub(crate) fn announce(&mut self) {
        let now = self.outside().now.get();
        let notes = std::mem::take(&mut *self.outside().notes.borrow_mut());
        for note in notes {
            let rest = self.speaker.take(note, now);
            assert!(rest.is_none(), "nobody wants to hear of {rest:?}");
        }
        self.speaker.tick(now);
    }
}

fn write_down_entry(me: Incarnation, peer: Incarnation, entry: &Bytes, ledger: &mut Ledger) {
    match Message::decode(entry).expect("every entry can be read") {
        Message::Whole => ledger.is_whole(me, peer),
        Message::Part(..) => ledger.summary.parts += 1,
        Message::Unknown(tag) if tag == version::NEWS[0] => ledger.summary.news += 1,
        Message::Unknown(tag) => panic!("nobody tells {tag}"),
        _ => {}
    }
}

/// Channels of whose registry a snapshot begins and ends with the ballast. Its hashes are random,
/// which a run must not be; the order of the channels in between makes no difference.
fn channels(me: Incarnation, names: &Names) -> Channels<Outside> {
    let settings = ChannelSettings { me: me.0, last_event_ttl: None, last_event_bytes: 1 << 20 };
    loop {
        let channels = Channels::new(settings, Outside::default());
        let Some([first, last]) = &names.ballast else { return channels };
        let registry = channels.registry();
        let (first, last) = (stripe(registry, first), stripe(registry, last));
        let is_between = |channel| (first + 1..last).contains(&stripe(registry, channel));
        if names.busy.iter().all(is_between) {
            return channels;
        }
    }
}

fn stripe(registry: &Registry, channel: &Channel) -> usize {
    let (app, shard) = (Arc::from(APP), ShardId(0));
    let apply =
        |change| drop(registry.update(&app, channel, |_, entry| entry.apply(shard, change)));
    let holds = |stripe: &usize| registry.snapshot(NodeId::LOCAL, *stripe, |held| !held.is_empty());
    apply(Change::Subscribe { member: None });
    let stripe = (0..STRIPES).find(holds).unwrap();
    apply(Change::Unsubscribe { user_id: None });
    stripe
}

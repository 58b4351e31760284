//! One node: everything that the server joins, without the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use channels::announcer::{Announcer, Missed};
use channels::registry::{LocalChange, NodeId, Registry, STRIPES, ShardId};
use channels::{ChannelSettings, Channels, Peers, Topic};
use cluster::{Cluster, Incarnation, Now, PeerInfo, Settings};

use crate::Channel;
use crate::interest::InterestsTold;
use crate::ledger::Ledger;
use crate::load::Names;
use crate::seats::Waiting;
use crate::socket::{Socket, SocketNumber};
use crate::speaking::{self, Occupied};
use crate::spending::Spender;
use simulation::{APP, Clock, RequestNumber, SimRuntime};

pub(crate) struct Node {
    pub(crate) info: PeerInfo,
    pub(crate) app: Arc<str>,
    pub(crate) cluster: Cluster,
    pub(crate) channels: Channels<SimRuntime>,
    pub(crate) peers: Peers,
    /// Says what a backend has to hear of.
    pub(crate) announcer: Announcer,
    /// The cache channels of which it has said that they were found empty.
    pub(crate) missed: Missed,
    /// What it has heard.
    pub(crate) occupied: Occupied,
    pub(crate) sockets: BTreeMap<SocketNumber, Socket>,
    /// The sockets that are to be closed.
    pub(crate) closing: Vec<SocketNumber>,
    /// The connections that wait for a slot.
    pub(crate) waiting: Vec<Waiting>,
    /// The requests that wait for a budget.
    pub(crate) spenders: Vec<Spender>,
    requests: RequestNumber,
    pub(crate) told: InterestsTold,
    /// When the timer rings.
    alarm: Option<Now>,
    /// The driver has to look what there is to send.
    pub(crate) woken: bool,
    /// When the driver looks by itself.
    pub(crate) lingers: Option<Now>,
    /// Peers that went down, whose connections are to be closed.
    pub(crate) gone: Vec<Incarnation>,
    /// Whether it takes in clients.
    pub(crate) serves: bool,
    pub(crate) started: u64,
    /// The number that the last socket got.
    pub(crate) last_socket: SocketNumber,
}

impl Node {
    pub(crate) fn new(
        clock: &Clock,
        incarnation: Incarnation,
        name: String,
        settings: Settings,
        names: &Names,
    ) -> Self {
        let agreement = settings.agreement;
        Node {
            info: PeerInfo { incarnation, name, version: 1, agreement },
            app: APP.into(),
            cluster: Cluster::new(incarnation, settings),
            channels: channels(clock, incarnation, names),
            peers: Peers::default(),
            announcer: Announcer::new(incarnation.0, speaking::SETTINGS),
            missed: Missed::default(),
            occupied: Occupied::default(),
            sockets: BTreeMap::new(),
            closing: Vec::new(),
            waiting: Vec::new(),
            spenders: Vec::new(),
            requests: 0,
            told: InterestsTold::default(),
            alarm: None,
            woken: true,
            lingers: None,
            gone: Vec::new(),
            serves: false,
            started: clock.get().as_millis() as u64,
            last_socket: 0,
        }
    }

    pub(crate) fn me(&self) -> Incarnation {
        self.info.incarnation
    }

    pub(crate) fn next_request(&mut self) -> RequestNumber {
        self.requests += 1;
        self.requests
    }

    pub(crate) fn topic(&self, channel: &Channel) -> Topic {
        Topic::subscribers(&self.app, channel.clone())
    }

    /// A heartbeat's time has passed.
    pub(crate) fn beat(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        self.cluster.tick(now);
        self.drain(now, names, ledger);
    }

    /// The peers are told what they are told with every heartbeat.
    pub(crate) fn tell_counts(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        if !self.peers.is_empty() {
            self.peers.tick(&self.channels);
            self.settle(now, names, ledger);
        }
    }

    /// Time has passed: the timer rings if it was set.
    pub(crate) fn ring(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        self.give_up_seats(now);
        self.spend_shares(now, names, ledger);
        if self.alarm.is_some_and(|alarm| alarm <= now) {
            self.channels.tick();
            self.alarm = self.channels.deadline();
            self.settle(now, names, ledger);
        }
    }

    /// Everybody who was woken by what was just done does what there is to do.
    pub(crate) fn settle(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        self.told.look(now, self.channels.registry(), names.channels());
        self.serve_shards(now, ledger);
        self.close_sockets(now, names, ledger);
        self.hear_answers(now, names, ledger);
        self.channels.runtime().connections.set(self.sockets.len() as u32);
        self.hear_notes(now, ledger);
        let runtime = self.channels.runtime();
        assert!(!runtime.is_anything_left(), "whoever has something to do is woken");
        self.woken |= runtime.take_links();
        if runtime.take_timer() {
            self.alarm = self.channels.deadline();
        }
    }
}

/// Channels of which a snapshot begins and ends with the ballast. Their hashes are random, which a
/// run must not be; the order of the channels in between makes no difference.
fn channels(clock: &Clock, me: Incarnation, names: &Names) -> Channels<SimRuntime> {
    let settings = ChannelSettings { me: me.0, last_event_ttl: None, last_event_bytes: usize::MAX };
    loop {
        let channels = Channels::new(settings, SimRuntime::new(clock.clone()));
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
    let apply = |change| {
        registry.update(&app, channel, |_, entry| drop(entry.apply(shard, change)));
    };
    let holds = |stripe: &usize| registry.snapshot(NodeId::LOCAL, *stripe, |held| !held.is_empty());
    apply(LocalChange::Subscribe { member: None });
    let stripe = (0..STRIPES).find(holds).unwrap();
    apply(LocalChange::Unsubscribe { user_id: None });
    stripe
}

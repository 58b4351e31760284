//! One node of a measured cluster: links, channels and peers joined as the server joins them. Unlike
//! the nodes of the random schedules it checks nothing and keeps nothing for its clients.

use std::sync::Arc;

use channels::registry::{Member, ShardId};
use channels::{
    ChannelSettings, Channels, ConnectionId, ConnectionRef, Delivery, Peers, Publish, Subscribed,
    Subscription, Topic, Welcome,
};
use cluster::{Cluster, Incarnation, Now, Packet, PeerInfo, Settings};

use simulation::{APP, Clock, INTERESTS, SHARDS, SimRuntime};

pub(crate) struct Node {
    pub(crate) info: PeerInfo,
    pub(crate) cluster: Cluster,
    pub(crate) peers: Peers,
    channels: Channels<SimRuntime>,
    app: Arc<str>,
    pub(crate) inbox: Vec<Packet>,
    /// When the driver lets time pass for the links.
    pub(crate) next_tick: u64,
    /// When somebody who waits for peers goes on without them.
    alarm: Option<Now>,
    /// Until when entries wait for others to go out with.
    lingers: Option<Now>,
    /// The driver has to look what there is to send.
    woken: bool,
    connections: u32,
    /// Clients that were told that they are subscribed.
    pub(crate) welcomed: usize,
}

impl Node {
    pub(crate) fn new(clock: &Clock, incarnation: Incarnation, settings: &Settings) -> Self {
        let agreement = settings.agreement;
        let name = format!("node-{incarnation}");
        let limits = ChannelSettings {
            me: incarnation.0,
            last_event_ttl: None,
            last_event_bytes: usize::MAX,
        };
        Node {
            info: PeerInfo { incarnation, name, version: 1, agreement },
            cluster: Cluster::new(incarnation, settings.clone()),
            peers: Peers::default(),
            channels: Channels::new(limits, SimRuntime::new(clock.clone())),
            app: APP.into(),
            inbox: Vec::new(),
            next_tick: 0,
            alarm: None,
            lingers: None,
            woken: true,
            connections: 0,
            welcomed: 0,
        }
    }

    /// The node is ready, and announces its channels.
    pub(crate) fn serve(&mut self) {
        self.cluster.set_ready(true);
        self.channels.set_serving(true);
        self.woken = true;
        self.settle();
    }

    pub(crate) fn found(&mut self, now: Now, peer: &Node) {
        self.cluster.found(now, peer.info.clone());
        self.cluster.reconnected(peer.info.incarnation);
        self.drain();
    }

    /// Whether there is something to do at `now` although nothing has come.
    pub(crate) fn is_due(&self, now: Now) -> bool {
        let is_over = |at: Option<Now>| at.is_some_and(|at| at <= now);
        self.woken || is_over(self.alarm) || is_over(self.lingers)
    }

    /// Whether something will have to be done without an input.
    pub(crate) fn waits(&self) -> bool {
        self.woken || self.alarm.is_some() || self.lingers.is_some()
    }

    /// Takes what has come.
    pub(crate) fn read(&mut self, now: Now) {
        for packet in std::mem::take(&mut self.inbox) {
            self.cluster.receive(now, packet);
            self.drain();
        }
    }

    /// Half a heartbeat has passed.
    pub(crate) fn tick(&mut self, now: Now) {
        self.cluster.tick(now);
        self.drain();
        self.peers.tick(&self.channels);
        self.settle();
    }

    /// Somebody has waited for long enough.
    pub(crate) fn ring(&mut self, now: Now) {
        if self.alarm.is_some_and(|alarm| alarm <= now) {
            self.channels.tick();
            self.alarm = self.channels.deadline();
            self.settle();
        }
    }

    /// Every packet that is due, with whom it is for.
    pub(crate) fn packets(&mut self, now: Now) -> Vec<(Incarnation, Packet)> {
        self.woken = false;
        let peers: Vec<Incarnation> = self.cluster.peers_with_output(now).collect();
        let mut packets = Vec::new();
        for peer in peers {
            while let Some(packet) = self.cluster.next_packet(now, peer) {
                packets.push((peer, packet));
            }
        }
        self.lingers = self.cluster.lingers(now);
        packets
    }

    /// A new connection subscribes; as a member of a presence channel that may have `limit`.
    pub(crate) fn subscribe(
        &mut self,
        channel: &Arc<str>,
        member: Option<&Arc<Member>>,
        limit: Option<usize>,
    ) {
        self.connections += 1;
        let id = ConnectionId { index: self.connections, generation: 1 };
        let who = ConnectionRef { shard: ShardId(0), id };
        let topic = Topic::subscribers(&self.app, channel.clone());
        let subscription = Subscription { who, member, max_members: limit, asked: true };
        let subscribed = self.channels.subscribe(&topic, INTERESTS, subscription);
        assert_eq!(subscribed, Subscribed::Accepted, "{channel} has room");
        self.settle();
    }

    pub(crate) fn publish(&mut self, channel: &str, frame: &[u8]) {
        let frame = &websocket::text(frame);
        let publish = Publish { app: &self.app, channel, frame, except: None, kept: None };
        self.channels.publish(publish);
        self.settle();
    }

    fn drain(&mut self) {
        self.woken = true;
        while let Some(output) = self.cluster.poll_output() {
            if let Some(free) = self.peers.take(&self.channels, output) {
                self.cluster.forget(free);
            }
        }
        self.settle();
    }

    /// Shards and the announcer take what is theirs, and whoever has to look is noted.
    fn settle(&mut self) {
        let runtime = self.channels.runtime();
        for shard in 0..SHARDS {
            for delivery in runtime.inbox(shard) {
                let is_welcome = matches!(
                    delivery,
                    Delivery::Welcome { welcome: Welcome::Succeeded { .. }, .. }
                );
                self.welcomed += usize::from(is_welcome);
            }
        }
        drop(runtime.notes());
        self.woken |= runtime.take_links();
        if runtime.take_timer() {
            self.alarm = self.channels.deadline();
        }
    }
}

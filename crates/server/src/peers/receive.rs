//! What peers tell: facts into the registry, with everything that follows for our own subscribers;
//! events into the inboxes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cluster::{Output, PeerInfo, Reason, Slot};
use failures::LogThrottle;
use protocol::close::Close;
use protocol::socket_id::SocketId;
use registry::NodeId;
use replication::{Event, Kept, Learned, Message, Replica, Snapshots, Topic as Told};
use speaker::Subject;

use crate::cache::CachedEvent;
use crate::hub::Topic;
use crate::node::Node;
use crate::reload::close;
use crate::webhooks::{Notice, Origin};

static DROPPED: LogThrottle = LogThrottle::new();

/// A peer, from its first sign of life on.
struct Peer {
    info: PeerInfo,
    /// Its snapshot is whole.
    whole: bool,
    ready: bool,
}

/// Owned by the cluster's thread.
pub(crate) struct Receiver {
    node: Arc<Node>,
    peers: HashMap<NodeId, Peer>,
    replica: Replica,
    snapshots: Snapshots,
}

/// The number of a peer's slot is its number in the registry, where 0 is ourselves.
fn node_id(slot: Slot) -> NodeId {
    NodeId(slot.0)
}

impl Receiver {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        let (replica, snapshots) = (Replica::default(), Snapshots::default());
        Receiver { node, peers: HashMap::new(), replica, snapshots }
    }

    /// Whether every peer that we know has told us everything.
    pub(crate) fn is_whole(&self) -> bool {
        self.peers.values().all(|peer| peer.whole)
    }

    /// How many peers there are.
    pub(crate) fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Whether the shards can take more events.
    pub(crate) fn has_room(&self) -> bool {
        self.node.has_room()
    }

    /// Time has passed: tells counts that changed, and goes on with snapshots.
    pub(crate) fn tick(&mut self) {
        self.node.tell_counts();
        self.node.peers.places.forget_confirmed();
        self.advance();
    }

    /// Takes in what comes out of the cluster. True if a slot is free again.
    pub(crate) fn take(&mut self, output: Output) -> Option<Slot> {
        match output {
            Output::Up { slot, info, log } => {
                tracing::info!(node = %info.name, incarnation = %info.incarnation, "a node is there");
                let name = info.incarnation.0;
                self.peers.insert(node_id(slot), Peer { info, whole: false, ready: false });
                self.snapshots.begin(&self.node.peers.outlets, node_id(slot), log);
                self.node.peers.introduce(node_id(slot), name);
                self.node.peers.introduce_claims(node_id(slot), true);
                self.advance();
            }
            Output::Stream { slot, log } => {
                let Peer { info, .. } = self.peers.get(&node_id(slot))?;
                tracing::warn!(node = %info.name, "the link to a node begins anew, with a snapshot");
                self.snapshots.begin(&self.node.peers.outlets, node_id(slot), log);
                self.node.peers.introduce(node_id(slot), info.incarnation.0);
                self.node.peers.introduce_claims(node_id(slot), false);
                self.advance();
            }
            Output::Restarted { slot } => {
                self.replica.restarted(node_id(slot));
                if let Some(peer) = self.peers.get(&node_id(slot)) {
                    self.node.peers.quotas_restarted(peer.info.incarnation.0);
                }
                self.node.peers.claims_restarted(node_id(slot));
            }
            Output::Entry { slot, entry } => self.hear(node_id(slot), &entry),
            Output::Acked { .. } => {
                self.node.settle_waits();
                self.advance();
            }
            Output::Ready { slot, ready } => self.set_ready(node_id(slot), ready),
            Output::Down { slot, reason, .. } => {
                self.lose(node_id(slot), reason);
                return Some(slot);
            }
        }
        None
    }

    fn set_ready(&mut self, id: NodeId, ready: bool) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.ready = ready;
            let name = peer.info.incarnation.0;
            self.node.peers.quotas_ready(name, ready);
            self.node.notices.tell(match ready {
                true => Notice::Ready(name, Duration::ZERO),
                false => Notice::Retired(name),
            });
        }
        let ready = self.peers.values().filter(|peer| peer.ready).count();
        self.node.peers.ready.store(ready, Relaxed);
    }

    /// A peer is gone: so is everything that it held.
    fn lose(&mut self, id: NodeId, reason: Reason) {
        let node = self.node.clone();
        if let Some(peer) = self.peers.get(&id) {
            let name = peer.info.incarnation.0;
            // Before everything that follows from its end, so that somebody else speaks for that.
            node.notices.tell(match reason {
                Reason::Goodbye => Notice::Retired(name),
                Reason::Silent | Reason::Lost => Notice::Dead(name),
            });
        }
        self.snapshots.end(&node.peers.outlets, id);
        self.withdraw(id, Vec::new());
        node.peers.connections.lock().remove(&id);
        self.replica.forget(&node.registry, id, |app, channel, entry, transitions| {
            let mut dispatch = node.dispatch();
            node.follow(
                &mut dispatch,
                &Topic::subscribers(app, channel.clone()),
                entry,
                &transitions,
            );
        });
        if let Some(Peer { info, .. }) = self.peers.remove(&id) {
            let incarnation = info.incarnation;
            node.peers.quotas_down(incarnation.0);
            match reason {
                Reason::Goodbye => {
                    tracing::info!(node = %info.name, %incarnation, "a node has left")
                }
                Reason::Silent | Reason::Lost => {
                    tracing::warn!(node = %info.name, %incarnation, ?reason, "a node is dead");
                }
            }
        }
        self.set_ready(id, false);
        node.peers.places.down(id);
        node.settle_waits();
        node.settle_all_places();
    }

    fn hear(&mut self, id: NodeId, entry: &Bytes) {
        let node = &self.node;
        let message = match Message::decode(entry) {
            Ok(message) => message,
            Err(error) => {
                let node = self.peers.get(&id).map_or("?", |peer| &peer.info.name);
                return tracing::error!(%error, node, "a node tells something that cannot be read");
            }
        };
        let app = |id: &str| node.apps.by_id(id).map_or_else(|| id.into(), |app| app.id.clone());
        let mut dispatch = node.dispatch();
        let learned = self.replica.learn(
            &node.registry,
            id,
            &message,
            app,
            |app, channel, entry, transitions| {
                let topic = Topic::subscribers(app, channel.clone());
                node.follow(&mut dispatch, &topic, entry, &transitions);
            },
        );
        drop(dispatch);
        match (learned, message) {
            (Learned::Fact, message) => {
                if let Some(replication::Topic { app: id, channel }) = message.topic()
                    && !node.peers.places.is_idle()
                {
                    node.settle_places(&Topic::subscribers(&app(id), channel.into()));
                }
            }
            (Learned::Whole, _) => {
                node.settle_all_places();
                if let Some(peer) = self.peers.get_mut(&id) {
                    peer.whole = true;
                }
            }
            (Learned::Part, _) => {}
            (Learned::NoFact, message) => self.act(id, message),
        }
    }

    fn act(&self, id: NodeId, message: Message<'_>) {
        let node = &self.node;
        let except = |event: &Event| event.except.map(|(first, second)| SocketId(first, second));
        match message {
            Message::Event(..) | Message::Cached(..) if !node.has_room() => {
                node.stats.dropped_peer_event();
                if DROPPED.may_log() {
                    tracing::error!("the shards are far behind: events of other nodes are dropped");
                }
            }
            Message::Event(topic, event) => {
                let Some(app) = node.apps.by_id(topic.app) else { return };
                node.receive(&app.id, topic.channel, &event.frame, except(&event), || true);
            }
            Message::Cached(topic, event, Kept { data, stamp, ttl, fresh }) => {
                // Also of an app that nobody has asked for here: somebody may, and subscribe.
                let app = node.apps.by_id(topic.app).map(|app| app.id.clone());
                let app = app.unwrap_or_else(|| topic.app.into());
                node.receive(&app, topic.channel, &event.frame, except(&event), || {
                    let now = Instant::now();
                    // A copy, for the frame is a piece of a whole packet.
                    let frame = Bytes::copy_from_slice(&event.frame);
                    let expires = now + Duration::from_millis(ttl);
                    let cached = CachedEvent { frame, data: data.into(), stamp, expires };
                    node.cache.learn(&app, topic.channel, cached, now);
                    fresh
                });
            }
            Message::Close(topic, code, reason) => {
                let Some(app) = node.apps.by_id(topic.app) else { return };
                let close = Close::new(code, reason.to_owned());
                node.close_subscribers(&app, topic.channel, &close, false);
            }
            Message::Lease(message) => {
                if let Some(peer) = self.peers.get(&id) {
                    node.peers.quotas_hear(peer.info.incarnation.0, message);
                }
            }
            Message::Claim(topic, claim) => {
                let app = node.apps.by_id(topic.app);
                let app = app.map_or_else(|| topic.app.into(), |app| app.id.clone());
                node.hear_claim(id, &Topic::subscribers(&app, topic.channel.into()), claim);
            }
            Message::RateWish(app, wish) => {
                let Some(app) = node.apps.by_id_for_peer(app) else { return };
                node.peers.answer_rate(id, node.grant_rate(&app, &wish));
            }
            Message::RateAnswer(answer) => node.peers.hear_rate(answer),
            Message::Serving(millis) => {
                if let Some(peer) = self.peers.get(&id) {
                    let (name, ago) = (peer.info.incarnation.0, Duration::from_millis(millis));
                    node.notices.tell(Notice::Ready(name, ago));
                }
            }
            Message::Missed(Told { app, channel }) => {
                let subject = Subject { app: app.into(), channel: channel.into(), member: None };
                node.notices.tell(Notice::Missed(subject, Origin::Elsewhere));
            }
            Message::Withdrawn(apps) => self.withdraw(id, apps),
            Message::Connections(app, count) => {
                let mut connections = node.peers.connections.lock();
                connections.entry(id).or_default().insert(app.into(), count);
            }
            _ => {}
        }
    }

    /// A node's configuration switches these apps off, and no others.
    fn withdraw(&self, id: NodeId, apps: Vec<Arc<str>>) {
        let gone = self.node.apps.withdrawn_by(id, apps);
        for gone in gone {
            let app = &gone.app.id;
            tracing::warn!(%app, "the configuration of another node has switched an app off");
            close(&self.node, gone);
        }
    }

    fn advance(&mut self) {
        let node = &self.node;
        let more = || {
            let cached = node.cache.all().into_iter().map(|((app, channel), event)| {
                let topic = replication::Topic { app: &app, channel: &channel };
                let frame = Event { except: None, frame: event.frame.clone() };
                Message::Cached(topic, frame, event.told(false)).encode()
            });
            let apps = node.apps.all();
            let apps =
                apps.iter().map(|app| Message::Connections(&app.id, app.connections()).encode());
            let serving = node.serving().map(|ago| Message::Serving(ago.as_millis() as u64));
            let withdrawn = Message::Withdrawn(node.apps.withdrawn());
            let rest = serving.into_iter().chain([withdrawn]);
            cached.chain(apps).chain(rest.map(|message| message.encode())).collect()
        };
        if self.snapshots.advance(&node.registry, more) {
            node.peers.wake();
        }
    }
}

//! This node as its channels see it: the outside world of the `channels` crate. It must not know how
//! shards, the announcer and the cluster's driver do what they are woken for.

mod notes;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use channels::rates::{Budget, Spending};
use channels::registry::{NodeId, ShardId};
use channels::{Answer, App, Channels, Delivery, Interests, Note, Problem, Runtime, Topic, Wake};
use cluster::Now;
use failures::LogThrottle;
use tokio::sync::{Notify, oneshot};

use crate::apps::{Apps, Gone};
use crate::inbox::{Inbox, Op};
use crate::shared_cache::{SharedCache, key};
use crate::stats::Stats;

pub(crate) use notes::Notes;

/// The channels of this node.
pub(crate) type NodeChannels = Channels<NodeRuntime>;

/// Wakes the driver of the cluster.
type WakeLinks = Box<dyn Fn() + Send + Sync>;

static DROPPED: LogThrottle = LogThrottle::new();

/// Owned by the channels, shared by all threads.
pub(crate) struct NodeRuntime {
    pub(crate) apps: Arc<Apps>,
    /// One for each shard.
    pub(crate) inboxes: Box<[Inbox]>,
    /// What may be a backend's business.
    pub(crate) notes: Notes,
    /// Where all nodes keep last events, if there is such a place.
    pub(crate) shared_cache: Option<SharedCache>,
    pub(crate) stats: Arc<Stats>,
    /// When the node started; the zero of [`Runtime::now`].
    pub(crate) started: Instant,
    links: OnceLock<WakeLinks>,
    timer: Notify,
}

impl NodeRuntime {
    pub(crate) fn new(
        apps: Arc<Apps>,
        inboxes: Box<[Inbox]>,
        shared_cache: Option<SharedCache>,
        stats: Arc<Stats>,
    ) -> Self {
        NodeRuntime {
            apps,
            inboxes,
            notes: Notes::default(),
            shared_cache,
            stats,
            started: Instant::now(),
            links: OnceLock::new(),
            timer: Notify::new(),
        }
    }

    /// The node becomes part of a cluster, which happens once, before it serves.
    pub(crate) fn join(&self, wake: WakeLinks) {
        let _ = self.links.set(wake);
    }

    /// Asks every shard for the same thing.
    pub(crate) fn tell_all(&self, op: impl Fn() -> Op) {
        self.inboxes.iter().for_each(|inbox| inbox.send(op()));
    }

    /// Closes the connections of an app that is gone or disabled.
    pub(crate) fn close(&self, gone: Gone) {
        let Gone { app, close } = gone;
        if app.connections() > 0 {
            tracing::info!(app = %app.id, reason = %close.reason, "closing an app's connections");
        }
        self.tell_all(|| Op::CloseApp { app: app.id.clone(), close: close.clone() });
    }
}

impl Runtime for NodeRuntime {
    type Reply = oneshot::Sender<Answer>;

    fn now(&self) -> Now {
        self.started.elapsed()
    }

    fn unix_time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn deliver(&self, shard: ShardId, delivery: Delivery) -> bool {
        self.inboxes[usize::from(shard.0)].push(Op::Channel(delivery))
    }

    fn has_room(&self) -> bool {
        self.inboxes.iter().all(Inbox::has_room)
    }

    fn note(&self, note: Note) {
        self.notes.push(note);
    }

    fn wake(&self, whom: Wake) {
        match whom {
            Wake::Shard(shard) => self.inboxes[usize::from(shard.0)].wake(),
            Wake::Links => self.links.get().into_iter().for_each(|wake| wake()),
            Wake::Announcer => self.notes.wake(),
            Wake::Store => self.shared_cache.iter().for_each(SharedCache::wake),
            Wake::Timer => self.timer.notify_one(),
        }
    }

    fn app(&self, id: &str) -> App {
        match self.apps.by_id(id) {
            Some(app) => App { id: app.id.clone(), interests: app.settings.load().interests },
            None => App { id: id.into(), interests: Interests::UNKNOWN },
        }
    }

    fn for_each_app(&self, mut show: impl FnMut(&Arc<str>, u32)) {
        self.apps.all().iter().for_each(|app| show(&app.id, app.connections()));
    }

    fn withdrawn(&self) -> Vec<Arc<str>> {
        self.apps.withdrawn()
    }

    fn withdrawn_by(&self, node: NodeId, apps: Vec<Arc<str>>) {
        for gone in self.apps.withdrawn_by(node, apps) {
            let app = &gone.app.id;
            tracing::warn!(%app, "the configuration of another node has switched an app off");
            self.close(gone);
        }
    }

    fn budget<T>(
        &self,
        app: &str,
        on: Spending,
        take: impl FnOnce(&Budget, Option<u32>) -> T,
    ) -> Option<T> {
        let app = self.apps.by_id_for_peer(app)?;
        Some(take(app.budget(on), app.rate(on)))
    }

    fn fetch_last_event(&self, topic: &Topic, is_known: bool) -> bool {
        let shared = self.shared_cache.as_ref();
        shared.is_some_and(|shared| shared.ask(&key(topic), is_known))
    }

    fn store_last_event(&self, app: &Arc<str>, channel: &str) -> bool {
        let put = |shared: &SharedCache| shared.put((app.clone(), channel.into()));
        self.shared_cache.as_ref().map(put).is_some()
    }

    fn reply(&self, to: Self::Reply, answer: Answer) {
        // Whoever does not wait any longer has said so.
        let _ = to.send(answer);
    }

    fn report(&self, problem: Problem<'_>) {
        match problem {
            Problem::Malformed { node, error } => {
                tracing::error!(%error, node, "a node tells something that cannot be read");
            }
            Problem::EventDropped => {
                self.stats.dropped_peer_event();
                if DROPPED.may_log() {
                    tracing::error!("the shards are far behind: events of other nodes are dropped");
                }
            }
        }
    }
}

/// Sees to it that nobody waits for too long on a channel. Runs for as long as the node does.
pub(crate) async fn keep_time(channels: Arc<NodeChannels>) {
    let outside = channels.runtime();
    loop {
        let sooner = outside.timer.notified();
        match channels.deadline() {
            Some(deadline) => {
                tokio::select! {
                    () = tokio::time::sleep_until((outside.started + deadline).into()) => {
                        channels.tick();
                    }
                    () = sooner => {}
                }
            }
            None => sooner.await,
        }
    }
}

//! This node's part in the cluster, from joining to leaving, on a thread of its own, so that nothing
//! that shards do delays a heartbeat; unless there is one shard only, see [`Membership::join`].

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use channels::{Peers, Runtime};
use cluster::driver::{Driver, Owner, Wake};
use cluster::mesh::MeshTls;
use cluster::{Incarnation, Output, PeerStatus, Reason, Settings};
use config::{AdapterDriver, Config};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at, sleep};

use super::certificates::Certificates;
use super::join_error::JoinError;
use super::losses::ReportedLosses;
use super::transport::{PeerTransport, TransportCounters};
use crate::outside::{NodeChannels, keep_time};
use crate::readiness::Readiness;
use crate::task_thread::TaskThread;

/// How long to wait for somebody to be there.
const ALONE_AFTER: Duration = Duration::from_secs(1);
/// How long to wait for more peers after one was found: they all answer the first hello.
const SETTLED_AFTER: Duration = Duration::from_millis(250);
/// When a node that cannot reach its broker shows itself, though it serves nothing yet.
const UNREACHABLE_AFTER: Duration = Duration::from_secs(3);
/// How often to look whether the others have told everything.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often to say that a join is still going on.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// What the cluster's thread can be asked.
enum MembershipCommand {
    /// Whether the listeners are open.
    Open(bool),
    Status(oneshot::Sender<Status>),
    Leave(HasLeft),
}

/// Dropped when the goodbyes are said.
type HasLeft = std_mpsc::SyncSender<()>;

/// How the cluster looks from here at one moment.
pub(crate) struct Status {
    pub(crate) me: Incarnation,
    pub(crate) peers: Vec<PeerStatus>,
    pub(crate) lost_events: u64,
    pub(crate) broken_streams: u64,
    pub(crate) transport: TransportCounters,
}

/// What of this node takes part in its cluster.
pub(crate) struct Participant {
    pub(crate) config: Arc<Config>,
    pub(crate) channels: Arc<NodeChannels>,
    pub(crate) readiness: Arc<Readiness>,
}

/// A handle to what serves the cluster.
pub(crate) struct Membership {
    commands: mpsc::Sender<MembershipCommand>,
    certificates: Option<Certificates>,
    /// Where it lives, if it does not share a shard's thread.
    _thread: Option<TaskThread>,
}

impl Membership {
    /// Joins the cluster that the configuration names, and returns when this node is part of it:
    /// the others know it, and it knows all that they hold.
    ///
    /// The only one of the shards' threads serves the cluster, too: a node with one shard has one
    /// core, where two threads would wake and interrupt each other for every event that crosses.
    pub(crate) fn join(node: Participant, shards: &[TaskThread]) -> Result<Membership, JoinError> {
        let certificates = match node.config.adapter.driver {
            AdapterDriver::Cluster => Certificates::load(&node.config.cluster.tls)?,
            AdapterDriver::Local | AdapterDriver::Redis | AdapterDriver::Nats => None,
        };
        let tls = certificates.as_ref().map(Certificates::tls);
        let (commands, receiver) = mpsc::channel(16);
        let (joined, has_joined) = std_mpsc::channel();
        let own = (shards.len() != 1).then(|| TaskThread::start("cluster".into())).transpose()?;
        let thread = own.as_ref().unwrap_or_else(|| &shards[0]);
        thread.spawn(move || live(node, tls, joined, receiver));
        let ended = || Err(std::io::Error::other("the cluster's thread ended").into());
        has_joined.recv().unwrap_or_else(|_| ended())?;
        Ok(Membership { commands, certificates, _thread: own })
    }

    /// The listeners are open, or about to close. While they are open, and this node is part of
    /// the cluster, the others are told that it serves.
    pub(crate) fn set_open(&self, open: bool) {
        // Full means that it is busy with the same.
        let _ = self.commands.try_send(MembershipCommand::Open(open));
    }

    /// What the links are encrypted with, if they are.
    pub(crate) fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// How the cluster looks; none if its thread does not answer in time.
    pub(crate) async fn status(&self, patience: Duration) -> Option<Status> {
        let (to, answer) = oneshot::channel();
        self.commands.try_send(MembershipCommand::Status(to)).ok()?;
        tokio::time::timeout(patience, answer).await.ok()?.ok()
    }

    /// Says goodbye, and returns when that is said.
    pub(crate) fn leave(&self) {
        let (left, has_left) = std_mpsc::sync_channel(0);
        let _ = self.commands.blocking_send(MembershipCommand::Leave(left));
        // Nothing is ever sent: it ends when the other end is dropped.
        let _ = has_left.recv();
    }
}

/// The peers as the driver's owner, and as the thread looks at them.
struct SharedPeers {
    channels: Arc<NodeChannels>,
    peers: Rc<RefCell<Peers>>,
    told: ReportedLosses,
}

impl Owner for SharedPeers {
    fn output(&mut self, driver: &Driver, output: Output) {
        if matches!(output, Output::Stream { .. }) {
            self.told.begun_anew(&driver.losses());
        }
        let mut peers = self.peers.borrow_mut();
        log(&peers, &output);
        if let Some(slot) = peers.take(&self.channels, output) {
            driver.forget(slot);
        }
    }

    fn has_room(&self) -> bool {
        self.channels.runtime().has_room()
    }

    fn tick(&mut self, driver: &Driver) {
        self.told.tick(&driver.losses());
        self.peers.borrow_mut().tick(&self.channels);
    }
}

/// Says who comes and goes.
fn log(peers: &Peers, output: &Output) {
    let name = |slot| peers.info(slot).map_or("?", |info| &info.name);
    match output {
        Output::Up { info, .. } => {
            tracing::info!(node = %info.name, incarnation = %info.incarnation, "a node is there");
        }
        Output::Stream { slot, .. } => {
            let node = name(*slot);
            tracing::warn!(node, "the link to a node begins anew, with a snapshot");
        }
        Output::Down { slot, incarnation, reason: Reason::Goodbye } => {
            tracing::info!(node = name(*slot), %incarnation, "a node has left");
        }
        Output::Down { slot, incarnation, reason } => {
            tracing::warn!(node = name(*slot), %incarnation, ?reason, "a node is dead");
        }
        Output::Restarted { .. }
        | Output::Entry { .. }
        | Output::Acked { .. }
        | Output::Ready { .. } => {}
    }
}

async fn live(
    node: Participant,
    tls: Option<MeshTls>,
    joined: std_mpsc::Sender<Result<(), JoinError>>,
    mut commands: mpsc::Receiver<MembershipCommand>,
) {
    let config = &node.config.cluster;
    let settings = Settings {
        heartbeat: config.check_interval,
        node_timeout: config.node_timeout,
        replay_bytes: config.replay_bytes,
        replay_age: config.replay_age,
        agreement: channels::election::ELECTION,
    };
    let me = Incarnation(node.channels.incarnation());
    let wake = Wake::new();
    let waker = wake.clone();
    node.channels.runtime().join(Box::new(move || waker.wake()));
    let peers = Rc::new(RefCell::new(Peers::default()));
    let driver = Driver::new(
        me,
        settings,
        wake,
        Box::new(SharedPeers {
            channels: node.channels.clone(),
            peers: peers.clone(),
            told: ReportedLosses::default(),
        }),
    );
    let transport = match PeerTransport::start(&node.config, tls, driver.clone()).await {
        Ok(transport) => transport,
        Err(error) => return drop(joined.send(Err(error))),
    };
    tokio::task::spawn_local(keep_time(node.channels.clone()));

    let left = serve(&node, &transport, &peers, &driver, (&joined, &mut commands)).await;
    transport.stop().await;
    drop(left);
}

/// Joins, then does what it is asked for until this node leaves; who is to be told that it has.
async fn serve(
    node: &Participant,
    transport: &PeerTransport,
    peers: &RefCell<Peers>,
    driver: &Driver,
    (joined, commands): (
        &std_mpsc::Sender<Result<(), JoinError>>,
        &mut mpsc::Receiver<MembershipCommand>,
    ),
) -> Option<HasLeft> {
    let mut others = pin!(wait_for_the_others(transport, peers));
    let mut patience = interval_at(Instant::now() + UNREACHABLE_AFTER, UNREACHABLE_AFTER);
    let mut is_open = false;
    loop {
        tokio::select! {
            () = &mut others, if !node.readiness.has_joined() => {
                node.readiness.set_joined();
                set_ready(node, driver, is_open);
                // Nobody waits if it has taken too long.
                let _ = joined.send(Ok(()));
            }
            _ = patience.tick(), if !node.readiness.has_joined() => {
                if !transport.is_up() {
                    tracing::warn!("the broker cannot be reached: this node is not ready");
                    // Whoever looks after the node has to see that it lives, and why it waits.
                    let _ = joined.send(Ok(()));
                }
            }
            command = commands.recv() => match command {
                Some(MembershipCommand::Open(open)) => {
                    is_open = open;
                    set_ready(node, driver, open && node.readiness.has_joined());
                }
                Some(MembershipCommand::Status(to)) => {
                    let losses = driver.losses();
                    let status = Status {
                        me: driver.me(),
                        peers: driver.peers(),
                        lost_events: losses.events(),
                        broken_streams: losses.broken_streams(),
                        transport: transport.counters(),
                    };
                    // Whoever asked may have gone meanwhile.
                    drop(to.send(status));
                }
                Some(MembershipCommand::Leave(left)) => return Some(left),
                None => return None,
            },
        }
    }
}

/// Tells the others whether this node serves; from then on it announces its channels.
fn set_ready(node: &Participant, driver: &Driver, ready: bool) {
    driver.set_ready(ready);
    node.channels.set_serving(ready);
}

/// Nothing is served before everybody who is there has told everything, so that a publish through
/// this node reaches all, and its first presence subscriber sees the whole roster.
async fn wait_for_the_others(transport: &PeerTransport, peers: &RefCell<Peers>) {
    let start = Instant::now();
    while !transport.is_up() {
        sleep(LOOK_EVERY).await;
    }
    let (mut known, mut known_since, mut said) = (0, Instant::now(), Instant::now());
    loop {
        let (peers, whole) = {
            let peers = peers.borrow();
            (peers.len(), peers.is_whole())
        };
        if peers != known {
            (known, known_since) = (peers, Instant::now());
        }
        let patience = if peers == 0 { ALONE_AFTER } else { SETTLED_AFTER };
        if whole && known_since.elapsed() >= patience {
            tracing::info!(peers, took = ?start.elapsed(), "this node is part of the cluster");
            return;
        }
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            tracing::warn!(peers, since = ?start.elapsed(), "still waiting for peers' snapshots");
        }
        sleep(LOOK_EVERY).await;
    }
}

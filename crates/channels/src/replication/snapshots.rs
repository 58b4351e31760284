//! Snapshots on their way: a new stream begins with everything that this node holds.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::registry::{ChannelFacts, NodeId, Registry, STRIPES};
use bytes::Bytes;
use cluster::{EntryKind, Log};

use crate::replication::everything::everything;
use crate::replication::peer_streams::{PeerStream, PeerStreams};
use crate::replication::{ChannelName, PeerMessage};

/// A snapshot goes on when less than this waits in the stream, in bytes: it does not fill the
/// memory faster than the peer takes it.
const WINDOW: usize = 1024 * 1024;

struct Snapshot {
    stream: PeerStream,
    /// The next stripe to tell.
    stripe: usize,
}

/// Owned by the cluster's thread.
#[derive(Default)]
pub struct Snapshots(Vec<Snapshot>);

impl Snapshots {
    /// A peer has a new stream: from now on it is told every change, and everything bit by bit.
    pub fn begin(&mut self, streams: &PeerStreams, node: NodeId, log: Arc<Log>) {
        self.end(streams, node);
        self.0.push(Snapshot { stream: streams.open(node, log), stripe: 0 });
    }

    /// A peer is gone.
    pub fn end(&mut self, streams: &PeerStreams, node: NodeId) {
        self.0.retain(|snapshot| snapshot.stream.node != node);
        streams.close(node);
    }

    /// Whether somebody has still to be told something.
    pub fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes on as far as the streams take it; to be called when a peer has acknowledged something,
    /// and now and then. `more` is what else belongs into a snapshot, besides the channels. True if
    /// something was appended.
    pub fn advance(&mut self, registry: &Registry, more: impl Fn() -> Vec<Bytes>) -> bool {
        let mut appended = false;
        self.0.retain_mut(|snapshot| {
            while snapshot.stream.log.stats().unacked_bytes < WINDOW {
                appended = true;
                if snapshot.step(registry, &more).is_break() {
                    return false;
                }
            }
            true
        });
        appended
    }
}

impl Snapshot {
    fn step(&mut self, registry: &Registry, more: impl Fn() -> Vec<Bytes>) -> ControlFlow<()> {
        let PeerStream { log, whole, .. } = &self.stream;
        // Whether the stream has ended meanwhile does not matter: then a new one begins anew.
        let tell = |entry: Bytes| {
            log.append_urgent(entry, EntryKind::Snapshot);
        };
        if self.stripe < STRIPES {
            registry.snapshot(NodeId::LOCAL, self.stripe, |held| {
                for ChannelFacts { app, channel, subscriptions, members } in &held {
                    let entries =
                        everything(ChannelName { app, channel }, *subscriptions, members.clone());
                    entries.into_iter().for_each(tell);
                }
            });
            self.stripe += 1;
            return ControlFlow::Continue(());
        }
        // From here on nothing that is decided needs facts in front of it.
        whole.store(true, Relaxed);
        more().into_iter().for_each(tell);
        tell(PeerMessage::Whole.encode());
        ControlFlow::Break(())
    }
}

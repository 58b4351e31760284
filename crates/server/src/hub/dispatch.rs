//! Hands operations to shards, and entries to peers: under a stripe's lock, so that their order is
//! the order of decisions; who has to be woken up for them is woken after it.

use bytes::Bytes;
use channels::registry::{Interest, ShardId};
use protocol::socket_id::SocketId;
use smallvec::SmallVec;

use super::inbox::Inbox;
use super::op::{Op, Topic};
use crate::cache::Shared;
use crate::peers::Peers;
use crate::webhooks::Notices;

/// Made before a stripe is locked, or several one after the other; dropped after.
pub(crate) struct Dispatch<'a> {
    inboxes: &'a [Inbox],
    asleep: SmallVec<[ShardId; 8]>,
    /// How peers are told, see `peers::tell`.
    pub(crate) peers: &'a Peers,
    /// Peers have been told something.
    pub(crate) wake_links: bool,
    /// What may be a backend's business, see `webhooks::notify`.
    pub(crate) notices: &'a Notices,
    /// The desk has got something.
    pub(crate) wake_desk: bool,
    shared_cache: Option<&'a Shared>,
    /// There is something to be asked or written, see `cache::shared`.
    pub(crate) wake_cache: bool,
}

impl<'a> Dispatch<'a> {
    pub(crate) fn new(
        inboxes: &'a [Inbox],
        peers: &'a Peers,
        notices: &'a Notices,
        shared_cache: Option<&'a Shared>,
    ) -> Self {
        Dispatch {
            inboxes,
            asleep: SmallVec::new(),
            peers,
            wake_links: false,
            notices,
            wake_desk: false,
            shared_cache,
            wake_cache: false,
        }
    }

    /// One operation for one shard.
    pub(crate) fn send(&mut self, shard: ShardId, op: Op) {
        if self.inboxes[usize::from(shard.0)].push(op) {
            self.asleep.push(shard);
        }
    }

    /// The same operation for every shard that is interested.
    pub(crate) fn send_all(&mut self, interest: &Interest, op: impl Fn() -> Op) {
        for shard in interest.shards() {
            self.send(shard, op());
        }
    }

    /// A frame for everybody who follows a topic.
    pub(crate) fn deliver(
        &mut self,
        interest: &Interest,
        topic: &Topic,
        frame: &Bytes,
        except: Option<SocketId>,
    ) {
        let (topic, frame) = (topic, frame);
        self.send_all(interest, || Op::Deliver {
            topic: topic.clone(),
            frame: frame.clone(),
            except,
        });
    }
}

impl Drop for Dispatch<'_> {
    fn drop(&mut self) {
        for shard in &self.asleep {
            self.inboxes[usize::from(shard.0)].wake();
        }
        if self.wake_links {
            self.peers.wake();
        }
        if self.wake_desk {
            self.notices.wake();
        }
        if let Some(shared) = self.shared_cache.filter(|_| self.wake_cache) {
            shared.wake();
        }
    }
}

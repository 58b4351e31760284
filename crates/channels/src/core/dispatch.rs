//! Carries out what is decided: deliveries for shards, notes for backends, entries for peers. All of
//! it happens under a channel's lock, so that its order is the order of decisions; who has to be
//! woken for it is woken after that.

use bytes::Bytes;
use protocol::socket_id::SocketId;
use smallvec::SmallVec;

use super::Channels;
use crate::announcer::Note;
use crate::delivery::Delivery;
use crate::registry::{Interest, Locked, ShardId, is_anything_locked};
use crate::runtime::{Runtime, Wake};
use crate::topic::Topic;

/// Made before a channel is locked, or several one after the other; dropped after.
pub(super) struct Dispatch<'a, R: Runtime> {
    pub(super) channels: &'a Channels<R>,
    asleep: SmallVec<[ShardId; 8]>,
    wake_links: bool,
    wake_announcer: bool,
    wake_store: bool,
    wake_timer: bool,
}

impl<R: Runtime> Channels<R> {
    pub(super) fn dispatch(&self) -> Dispatch<'_, R> {
        debug_assert!(!is_anything_locked(), "a dispatch ends, and wakes, inside of the lock");
        Dispatch {
            channels: self,
            asleep: SmallVec::new(),
            wake_links: false,
            wake_announcer: false,
            wake_store: false,
            wake_timer: false,
        }
    }
}

/// What is told outside of any channel's lock, where whoever has to look can be woken at once.
impl<R: Runtime> Channels<R> {
    /// Peers' streams have something new, if `wake` says that their driver has to look.
    pub(super) fn wake_links(&self, wake: bool) {
        if wake {
            self.runtime.wake(Wake::Links);
        }
    }

    /// Something for the announcer that no channel's order depends on.
    pub(super) fn note(&self, note: Note) {
        self.runtime.note(note);
        self.runtime.wake(Wake::Announcer);
    }
}

impl<R: Runtime> Dispatch<'_, R> {
    /// One delivery for one shard.
    pub(super) fn deliver(&mut self, _: Locked<'_>, shard: ShardId, delivery: Delivery) {
        if self.channels.runtime.deliver(shard, delivery) {
            self.asleep.push(shard);
        }
    }

    /// The same delivery for every shard that is interested.
    pub(super) fn deliver_all(
        &mut self,
        locked: Locked<'_>,
        interest: &Interest,
        delivery: impl Fn() -> Delivery,
    ) {
        for shard in interest.shards() {
            self.deliver(locked, shard, delivery());
        }
    }

    /// A frame for everybody who follows a topic.
    pub(super) fn deliver_frame(
        &mut self,
        locked: Locked<'_>,
        interest: &Interest,
        topic: &Topic,
        frame: &Bytes,
        except: Option<SocketId>,
    ) {
        self.deliver_all(locked, interest, || Delivery::Frame {
            topic: topic.clone(),
            frame: frame.clone(),
            except,
        });
    }

    /// Something that may be a backend's business.
    pub(super) fn note(&mut self, _: Locked<'_>, note: Note) {
        self.channels.runtime.note(note);
        self.wake_announcer = true;
    }

    /// Peers' streams have something new, if `wake` says that their driver has to look.
    pub(super) fn wake_links(&mut self, wake: bool) {
        self.wake_links |= wake;
    }

    /// There is something to fetch or to store, if `wake` says so.
    pub(super) fn wake_store(&mut self, wake: bool) {
        self.wake_store |= wake;
    }

    /// Somebody waits until a time, of which the timer has to be told, if `wake` says so.
    pub(super) fn wake_timer(&mut self, wake: bool) {
        self.wake_timer |= wake;
    }

    /// Wakes everybody who has to be woken so far.
    pub(super) fn flush(&mut self) {
        debug_assert!(!is_anything_locked(), "nobody is woken while a channel is locked");
        let runtime = &self.channels.runtime;
        for shard in std::mem::take(&mut self.asleep) {
            runtime.wake(Wake::Shard(shard));
        }
        let rest = [
            (&mut self.wake_links, Wake::Links),
            (&mut self.wake_announcer, Wake::Announcer),
            (&mut self.wake_store, Wake::Store),
            (&mut self.wake_timer, Wake::Timer),
        ];
        for (is_due, whom) in rest {
            if std::mem::take(is_due) {
                runtime.wake(whom);
            }
        }
    }
}

impl<R: Runtime> Drop for Dispatch<'_, R> {
    fn drop(&mut self) {
        self.flush();
    }
}

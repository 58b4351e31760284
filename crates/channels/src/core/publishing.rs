//! Events on their way to subscribers: to the shards here that have some, and to the nodes that have.

use std::sync::Arc;

use bytes::Bytes;
use protocol::close::Close;
use protocol::socket_id::SocketId;
use smallvec::SmallVec;

use super::Channels;
use super::dispatch::Dispatch;
use super::sending::facts;
use crate::announcer::{Note, Subject};
use crate::delivery::Delivery;
use crate::last_events::{CachedEvent, PublishedAt};
use crate::registry::{Entry, Found, Locked, NodeId};
use crate::replication::{ChannelName, EventFrame, LastEventInfo, PeerMessage};
use crate::runtime::Runtime;
use crate::topic::Topic;

/// An event that was published at this node.
#[derive(Clone, Copy, Debug)]
pub struct Publish<'a> {
    /// The app's id.
    pub app: &'a Arc<str>,
    /// The channel's name.
    pub channel: &'a str,
    /// The whole WebSocket frame that subscribers get.
    pub frame: &'a Bytes,
    /// Who does not get it.
    pub except: Option<SocketId>,
    /// The event's data as a JSON literal, if the event becomes the channel's last one (W43).
    pub kept: Option<&'a str>,
}

impl<R: Runtime> Channels<R> {
    /// Sends an event to everybody who is subscribed to a channel, over all nodes.
    pub fn publish(&self, publish: Publish<'_>) {
        let Publish { app, channel, frame, except, kept } = publish;
        let mut dispatch = self.dispatch();
        self.registry.read(app, channel, |locked, found| {
            let kept = kept.and_then(|data| {
                let at = PublishedAt {
                    node: self.me,
                    now: self.runtime.now(),
                    unix_time: self.runtime.unix_time(),
                };
                self.last_events.put(app, channel, frame.clone(), data, at)
            });
            if kept.is_some() {
                dispatch.wake_store(self.runtime.store_last_event(app, channel));
            }
            let entry = found.map(|found| found.entry);
            let told = ChannelName { app, channel };
            dispatch.forward(locked, told, entry, frame, except, kept.as_deref());
            if let Some(Found { channel, entry, .. }) = found {
                let topic = Topic::subscribers(app, channel.clone());
                dispatch.deliver_frame(locked, entry.subscribers(), &topic, frame, except);
            }
        });
    }

    /// A client of this node sent an event that its backend wants to hear of (K2).
    pub fn note_client_event(&self, app: &Arc<str>, channel: Arc<str>, json: String) {
        let subject = Subject { app: app.clone(), channel, member: None };
        self.note(Note::ClientEvent(subject, json));
    }

    /// An event that was published at another node, for our own subscribers. If it is `kept` it is
    /// the channel's last one, unless a later one is known; then it may also be part of a snapshot,
    /// and not be delivered.
    pub(super) fn receive(
        &self,
        topic: ChannelName<'_>,
        event: &EventFrame,
        kept: Option<LastEventInfo<'_>>,
    ) {
        let mut dispatch = self.dispatch();
        // Also of an app that nobody has asked for here: somebody may, and subscribe.
        let known = kept.map(|kept| (kept, self.runtime.app(topic.app).id));
        self.registry.read(topic.app, topic.channel, |locked, found| {
            let mut had = false;
            if let Some((kept, app)) = &known {
                let now = self.runtime.now();
                let last = self.last_events.get(app, topic.channel, now);
                had = last.is_some_and(|last| last.supersedes(kept));
                let cached = Arc::new(CachedEvent::received(event, kept, now));
                self.last_events.learn(app, topic.channel, cached, now);
            }
            if known.as_ref().is_none_or(|(kept, _)| kept.fresh && !had)
                && let Some(Found { app, channel, entry }) = found
                && entry.subscribers().shards().next().is_some()
            {
                let topic = Topic::subscribers(app, channel.clone());
                let except = event.except.map(|(first, second)| SocketId(first, second));
                // A copy, for the frame is a piece of a whole packet, which a slow reader's backlog
                // must not keep.
                let frame = Bytes::copy_from_slice(&event.frame);
                dispatch.deliver_frame(locked, entry.subscribers(), &topic, &frame, except);
            }
        });
    }

    /// Closes every connection that is subscribed to a channel, over all nodes (W51).
    pub fn close_subscribers(&self, app: &str, channel: &str, close: &Close) {
        self.close_channel(app, channel, close, true);
    }

    /// As [`close_subscribers`](Self::close_subscribers), but of this node's alone unless it is
    /// `ours` to tell the others.
    pub(super) fn close_channel(&self, app: &str, channel: &str, close: &Close, ours: bool) {
        let mut dispatch = self.dispatch();
        self.registry.read(app, channel, |locked, found| {
            let Some(Found { app, channel, entry }) = found else { return };
            if ours {
                dispatch.forward_close(locked, ChannelName { app, channel }, entry, close);
            }
            let topic = Topic::subscribers(app, channel.clone());
            dispatch.deliver_all(locked, entry.subscribers(), || Delivery::Close {
                topic: topic.clone(),
                close: close.clone(),
            });
        });
    }
}

/// To other nodes.
impl<R: Runtime> Dispatch<'_, R> {
    /// Sends an event to the nodes that have subscribers; to all if it is `kept` as the last event
    /// of its channel.
    fn forward(
        &mut self,
        locked: Locked<'_>,
        topic: ChannelName<'_>,
        entry: Option<&Entry>,
        frame: &Bytes,
        except: Option<SocketId>,
        kept: Option<&CachedEvent>,
    ) {
        if self.channels.streams.is_alone() {
            return;
        }
        let event = || EventFrame {
            except: except.map(|SocketId(first, second)| (first, second)),
            frame: frame.clone(),
        };
        match kept {
            Some(cached) => {
                let told = cached.told(self.channels.runtime.now(), true);
                let message = PeerMessage::Cached(topic, event(), told);
                self.send_event(locked, topic, entry, |_| true, &message);
            }
            None => {
                self.send_interested(locked, topic, entry, || PeerMessage::Event(topic, event()))
            }
        }
    }

    /// Has every node close its subscribers of a channel.
    fn forward_close(
        &mut self,
        locked: Locked<'_>,
        topic: ChannelName<'_>,
        entry: &Entry,
        close: &Close,
    ) {
        self.send_interested(locked, topic, Some(entry), || {
            PeerMessage::Close(topic, close.code, &close.reason)
        });
    }

    fn send_interested<'a>(
        &mut self,
        locked: Locked<'_>,
        topic: ChannelName<'_>,
        entry: Option<&Entry>,
        message: impl FnOnce() -> PeerMessage<'a>,
    ) {
        let interested = entry.into_iter().flat_map(|entry| entry.subscribers().nodes());
        let interested: SmallVec<[NodeId; 8]> = interested.collect();
        if !interested.is_empty() {
            let to = |node| interested.contains(&node);
            self.send_event(locked, topic, entry, to, &message());
        }
    }

    fn send_event(
        &mut self,
        _: Locked<'_>,
        topic: ChannelName<'_>,
        entry: Option<&Entry>,
        to: impl Fn(NodeId) -> bool,
        message: &PeerMessage<'_>,
    ) {
        let facts = || facts(topic, entry);
        self.wake_links(self.channels.streams.send_event(to, &message.encode(), facts));
    }
}

//! What peers tell: facts into the registry, with everything that follows for our own subscribers;
//! events to them; requests to whoever decides them.

use std::time::Duration;

use bytes::Bytes;
use protocol::close::Close;

use super::{Channels, Peers};
use crate::announcer::{Note, Origin, Subject};
use crate::registry::NodeId;
use crate::replication::{Applied, ChannelName, PeerMessage};
use crate::reservations;
use crate::runtime::{Problem, Runtime};
use crate::topic::Topic;

impl Peers {
    /// Takes in the next entry of a peer's stream.
    pub(super) fn hear<R: Runtime>(&mut self, channels: &Channels<R>, id: NodeId, entry: &Bytes) {
        let runtime = &channels.runtime;
        let message = match PeerMessage::decode(entry) {
            Ok(message) => message,
            Err(error) => {
                let node = self.peer(id).map_or("?", |peer| &peer.name);
                return runtime.report(Problem::Malformed { node, error });
            }
        };
        let app = |id: &str| runtime.app(id).id;
        let mut dispatch = channels.dispatch();
        let learned = self.replica.apply(&channels.registry, id, &message, app, &mut dispatch);
        drop(dispatch);
        match learned {
            Applied::Fact => {
                if let Some(ChannelName { app: id, channel }) = message.topic()
                    && !channels.joins.is_idle()
                {
                    channels.advance_joins(&Topic::subscribers(&app(id), channel.into()));
                }
            }
            Applied::Whole => {
                channels.advance_all(&channels.joins.applied_for());
                self.set_whole(id);
            }
            Applied::Part => {}
            Applied::NoFact => self.act(channels, id, message),
        }
    }

    fn act<R: Runtime>(&self, channels: &Channels<R>, id: NodeId, message: PeerMessage<'_>) {
        let runtime = &channels.runtime;
        let name = self.peer(id).map(|peer| peer.incarnation.0);
        match message {
            PeerMessage::Event(..) | PeerMessage::Cached(..) if !runtime.has_room() => {
                runtime.report(Problem::EventDropped);
            }
            PeerMessage::Event(topic, event) => channels.receive(topic, &event, None),
            PeerMessage::Cached(topic, event, kept) => {
                let by_publisher = name == Some(kept.stamp.node);
                channels.hear_kept(topic, &event, kept, by_publisher);
            }
            PeerMessage::Close(ChannelName { app, channel }, code, reason) => {
                let close = Close::new(code, reason.to_owned());
                channels.close_channel(app, channel, &close, false);
            }
            PeerMessage::Lease(message) => {
                if let Some(name) = name {
                    channels.hear_lease(name, message);
                }
            }
            PeerMessage::Claim(ChannelName { app, channel }, claim) => {
                let topic = Topic::subscribers(&runtime.app(app).id, channel.into());
                channels.hear_claim(id, &topic, claim);
            }
            PeerMessage::RateWish(app, wish) => channels.grant_rate(id, app, &wish),
            PeerMessage::RateAnswer(answer) => channels.hear_rate(answer),
            PeerMessage::Serving(millis) => {
                if let Some(name) = name {
                    channels.note(Note::Ready(name, Duration::from_millis(millis)));
                }
            }
            PeerMessage::Missed(ChannelName { app, channel }) => {
                let subject = Subject { app: app.into(), channel: channel.into(), member: None };
                channels.note(Note::Missed(subject, Origin::Elsewhere));
            }
            PeerMessage::Withdrawn(apps) => runtime.withdrawn_by(id, apps),
            PeerMessage::Connections(app, count) => {
                let mut connections = channels.peer_connections.lock();
                connections.entry(id).or_default().insert(app.into(), count);
            }
            // Facts have been learned; a later version may tell what we do not know.
            _ => {}
        }
    }
}

impl<R: Runtime> Channels<R> {
    /// A peer tells of a claim, or answers one of ours.
    fn hear_claim(&self, from: NodeId, topic: &Topic, claim: reservations::ReservationMessage) {
        let mut dispatch = self.dispatch();
        self.registry.read(&topic.app, &topic.channel, |locked, found| {
            if let Some(answer) = self.joins.hear(locked, from, topic, claim) {
                let entry = found.map(|found| found.entry);
                dispatch.answer_claim(locked, from, topic, entry, answer);
            }
        });
        drop(dispatch);
        self.advance_joins(topic);
    }
}

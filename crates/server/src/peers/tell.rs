//! What peers are told, decided under the channel's lock like everything else about it.

use bytes::Bytes;
use channels::registry::{Entry, MemberChange, NodeId, Occupancy, Own};
use channels::replication::{Entries, Event, Kept, Message, Tickets, Topic as Told, everything};
use protocol::close::Close;
use protocol::socket_id::SocketId;
use smallvec::SmallVec;

use super::Peers;
use crate::cache::CachedEvent;
use crate::hub::{Dispatch, Topic};

pub(super) fn told(topic: &Topic) -> Told<'_> {
    Told { app: &topic.app, channel: &topic.channel }
}

/// All that this node holds of a channel.
fn facts(topic: Told<'_>, entry: Option<&Entry>) -> Entries {
    let Some(entry) = entry.filter(|entry| entry.is_held_by(NodeId::LOCAL)) else {
        return Entries::new();
    };
    let subscriptions = entry.subscribers().of_node(NodeId::LOCAL);
    let members = entry.roster().of_node(NodeId::LOCAL).cloned().collect();
    everything(topic, subscriptions, members)
}

impl Dispatch<'_> {
    /// Tells what a subscription changed about this node's own facts. The tickets are of what has
    /// to be known before an event from anywhere finds the way here; none if it is known already.
    pub(crate) fn tell_subscribed(&mut self, topic: &Topic, entry: &Entry, own: &Own) -> Tickets {
        let mut tickets = Tickets::new();
        if self.peers.outlets.is_alone() {
            return tickets;
        }
        match own.occupancy {
            Some(_) => {
                let count = entry.subscribers().of_node(NodeId::LOCAL);
                let fact = Message::Subscriptions(told(topic), count).encode();
                self.wake_links |= self.peers.outlets.tell_urgently(&fact, &mut tickets);
            }
            None => self.peers.counts.mark(topic),
        }
        self.tell_member(topic, own);
        tickets
    }

    /// Tells what the end of a subscription changed.
    pub(crate) fn tell_unsubscribed(&mut self, topic: &Topic, own: &Own) {
        if self.peers.outlets.is_alone() {
            return;
        }
        self.tell_member(topic, own);
        match own.occupancy {
            Some(Occupancy::Vacated) => {
                let fact = Message::Subscriptions(told(topic), 0).encode();
                self.wake_links |= self.peers.outlets.tell_patiently(&fact);
            }
            _ => self.peers.counts.mark(topic),
        }
    }

    fn tell_member(&mut self, topic: &Topic, own: &Own) {
        let Peers { outlets, places, .. } = self.peers;
        match &own.member {
            Some(MemberChange::Added(member)) => {
                let fact = Message::Joined(told(topic), member.clone()).encode();
                // One alone is acknowledged with a heartbeat, several are soon too many for that.
                let is_urgent = places.unconfirmed(topic) > 0;
                let mut tickets = Tickets::new();
                self.wake_links |= outlets.tell_counted(&fact, is_urgent, &mut tickets);
                places.told(topic, tickets);
            }
            Some(MemberChange::Removed(member)) => {
                let fact = Message::Left(told(topic), &member.id).encode();
                self.wake_links |= outlets.tell_patiently(&fact);
            }
            None => {}
        }
    }

    /// Tells everybody about a place.
    pub(crate) fn tell_claim(&mut self, topic: &Topic, claim: channels::reservations::Message) {
        let message = Message::Claim(told(topic), claim).encode();
        self.wake_links |= self.peers.outlets.tell(&message);
    }

    /// Answers a peer's claim, after everything that was decided without knowing it.
    pub(super) fn answer_claim(
        &mut self,
        to: NodeId,
        topic: &Topic,
        entry: Option<&Entry>,
        answer: channels::reservations::Message,
    ) {
        let answer = Message::Claim(told(topic), answer).encode();
        let facts = || facts(told(topic), entry);
        self.wake_links |= self.peers.outlets.answer(to, answer, facts);
    }

    /// Sends an event to the nodes that have subscribers; to all if it is `kept` as the last event
    /// of its channel.
    pub(crate) fn forward(
        &mut self,
        topic: Told<'_>,
        entry: Option<&Entry>,
        frame: &Bytes,
        except: Option<SocketId>,
        kept: Option<&CachedEvent>,
    ) {
        if self.peers.outlets.is_alone() {
            return;
        }
        let event = || Event {
            except: except.map(|SocketId(first, second)| (first, second)),
            frame: frame.clone(),
        };
        match kept {
            Some(cached) => {
                let message = Message::Cached(topic, event(), cached.told(true));
                self.send_event(topic, entry, |_| true, &message);
            }
            None => self.send_interested(topic, entry, || Message::Event(topic, event())),
        }
    }

    /// Has every node close its subscribers of a channel.
    pub(crate) fn forward_close(&mut self, topic: Told<'_>, entry: &Entry, close: &Close) {
        self.send_interested(topic, Some(entry), || {
            Message::Close(topic, close.code, &close.reason)
        });
    }

    fn send_interested<'a>(
        &mut self,
        topic: Told<'_>,
        entry: Option<&Entry>,
        message: impl FnOnce() -> Message<'a>,
    ) {
        let interested = entry.into_iter().flat_map(|entry| entry.subscribers().nodes());
        let interested: SmallVec<[NodeId; 8]> = interested.collect();
        if !interested.is_empty() {
            self.send_event(topic, entry, |node| interested.contains(&node), &message());
        }
    }

    fn send_event(
        &mut self,
        topic: Told<'_>,
        entry: Option<&Entry>,
        to: impl Fn(NodeId) -> bool,
        message: &Message<'_>,
    ) {
        let facts = || facts(topic, entry);
        self.wake_links |= self.peers.outlets.send(to, &message.encode(), facts);
    }
}

impl CachedEvent {
    /// As peers are told of it.
    pub(super) fn told(&self, fresh: bool) -> Kept<'_> {
        let ttl = self.expires.saturating_duration_since(std::time::Instant::now());
        Kept { data: &self.data, stamp: self.stamp, ttl: ttl.as_millis() as u64, fresh }
    }
}

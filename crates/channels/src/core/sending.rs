//! What peers are told, decided under the channel's lock like everything else about it.

use super::Channels;
use super::dispatch::Dispatch;
use crate::registry::{Entry, Locked, MemberChange, NodeId, Occupancy, Own};
use crate::replication::{AckHandles, ChannelName, Entries, PeerMessage, everything};
use crate::reservations;
use crate::runtime::Runtime;
use crate::topic::Topic;

pub(super) fn told(topic: &Topic) -> ChannelName<'_> {
    ChannelName { app: &topic.app, channel: &topic.channel }
}

/// All that this node holds of a channel.
pub(super) fn facts(topic: ChannelName<'_>, entry: Option<&Entry>) -> Entries {
    let Some(entry) = entry.filter(|entry| entry.is_held_by(NodeId::LOCAL)) else {
        return Entries::new();
    };
    let subscriptions = entry.subscribers().of_node(NodeId::LOCAL);
    let members = entry.roster().of_node(NodeId::LOCAL).cloned().collect();
    everything(topic, subscriptions, members)
}

impl<R: Runtime> Dispatch<'_, R> {
    /// Tells what a subscription changed about this node's own facts. The handles are of what has to
    /// be known before an event from anywhere finds the way here; none if it is known already.
    pub(super) fn send_subscribed(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &Entry,
        own: &Own,
    ) -> AckHandles {
        let mut acks = AckHandles::new();
        let Channels { streams, changed_counts, .. } = self.channels;
        if streams.is_alone() {
            return acks;
        }
        match own.occupancy {
            Some(_) => {
                let count = entry.subscribers().of_node(NodeId::LOCAL);
                let fact = PeerMessage::Subscriptions(told(topic), count).encode();
                self.wake_links(streams.send_urgently(&fact, &mut acks));
            }
            None => changed_counts.mark(topic),
        }
        self.send_member(locked, topic, own);
        acks
    }

    /// Tells what the end of a subscription changed.
    pub(super) fn send_unsubscribed(&mut self, locked: Locked<'_>, topic: &Topic, own: &Own) {
        let Channels { streams, changed_counts, .. } = self.channels;
        if streams.is_alone() {
            return;
        }
        self.send_member(locked, topic, own);
        match own.occupancy {
            Some(Occupancy::Vacated) => {
                let fact = PeerMessage::Subscriptions(told(topic), 0).encode();
                self.wake_links(streams.send_patiently(&fact));
            }
            _ => changed_counts.mark(topic),
        }
    }

    fn send_member(&mut self, locked: Locked<'_>, topic: &Topic, own: &Own) {
        let Channels { streams, joins, .. } = self.channels;
        match &own.member {
            Some(MemberChange::Added(member)) => {
                let fact = PeerMessage::Joined(told(topic), member.clone()).encode();
                // One alone is acknowledged with a heartbeat, several are soon too many for that.
                let is_urgent = joins.unconfirmed(topic) > 0;
                let mut acks = AckHandles::new();
                self.wake_links(streams.send_counted(&fact, is_urgent, &mut acks));
                joins.told_member(locked, topic, acks);
            }
            Some(MemberChange::Removed(member)) => {
                let fact = PeerMessage::Left(told(topic), &member.id).encode();
                self.wake_links(streams.send_patiently(&fact));
            }
            None => {}
        }
    }

    /// Tells everybody about a place.
    pub(super) fn send_claim(
        &mut self,
        _: Locked<'_>,
        topic: &Topic,
        claim: reservations::ReservationMessage,
    ) {
        let message = PeerMessage::Claim(told(topic), claim).encode();
        self.wake_links(self.channels.streams.send(&message));
    }

    /// Answers a peer's claim, after everything that was decided without knowing it.
    pub(super) fn answer_claim(
        &mut self,
        _: Locked<'_>,
        to: NodeId,
        topic: &Topic,
        entry: Option<&Entry>,
        answer: reservations::ReservationMessage,
    ) {
        let answer = PeerMessage::Claim(told(topic), answer).encode();
        let facts = || facts(told(topic), entry);
        self.wake_links(self.channels.streams.answer(to, answer, facts));
    }
}

impl<R: Runtime> Channels<R> {
    /// Leaves a miss of a cache channel to the node that announces the channel; lost if that has
    /// just gone.
    pub fn send_miss(&self, to: u64, app: &str, channel: &str) {
        let message = PeerMessage::Missed(ChannelName { app, channel });
        let send = |node| self.streams.send_to(node, message.encode());
        self.wake_links(self.quotas.number(to).is_some_and(send));
    }
}

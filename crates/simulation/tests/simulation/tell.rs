//! What peers are told, decided under the channel's lock like everything else about it.

use bytes::Bytes;
use channels::registry::{Entry, MemberChange, NodeId, Occupancy, Own, Registry};
use channels::replication::{Entries, Event, Message, Tickets, Topic, everything};

use crate::Channel;
use crate::local::Local;
use crate::node::APP;

fn topic(channel: &Channel) -> Topic<'_> {
    Topic { app: APP, channel }
}

/// All that this node holds of a channel.
fn facts(channel: &Channel, entry: &Entry) -> Entries {
    if !entry.is_held_by(NodeId::LOCAL) {
        return Entries::new();
    }
    let subscriptions = entry.subscribers().of_node(NodeId::LOCAL);
    let members = entry.roster().of_node(NodeId::LOCAL).cloned().collect();
    everything(topic(channel), subscriptions, members)
}

impl Local {
    /// Tells what a subscription changed about this node's own facts.
    pub(crate) fn tell_subscribed(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        own: &Own,
    ) -> Tickets {
        let mut tickets = Tickets::new();
        if self.outlets.is_alone() {
            return tickets;
        }
        match own.occupancy {
            Some(_) => {
                let count = entry.subscribers().of_node(NodeId::LOCAL);
                let fact = Message::Subscriptions(topic(channel), count).encode();
                self.woken |= self.outlets.tell_urgently(&fact, &mut tickets);
            }
            None => drop(self.counts.insert(channel.clone())),
        }
        self.tell_member(channel, own);
        tickets
    }

    /// Tells what the end of a subscription changed.
    pub(crate) fn tell_unsubscribed(&mut self, channel: &Channel, own: &Own) {
        if self.outlets.is_alone() {
            return;
        }
        self.tell_member(channel, own);
        match own.occupancy {
            Some(Occupancy::Vacated) => {
                let fact = Message::Subscriptions(topic(channel), 0).encode();
                self.woken |= self.outlets.tell_patiently(&fact);
            }
            _ => drop(self.counts.insert(channel.clone())),
        }
    }

    fn tell_member(&mut self, channel: &Channel, own: &Own) {
        match &own.member {
            Some(MemberChange::Added(member)) => {
                let fact = Message::Joined(topic(channel), member.clone()).encode();
                let is_urgent = self.places.unconfirmed(channel) > 0;
                let mut tickets = Tickets::new();
                self.woken |= self.outlets.tell_counted(&fact, is_urgent, &mut tickets);
                self.places.told(channel, tickets);
            }
            Some(MemberChange::Removed(member)) => {
                let fact = Message::Left(topic(channel), &member.id).encode();
                self.woken |= self.outlets.tell_patiently(&fact);
            }
            None => {}
        }
    }

    /// Tells everybody about a place.
    pub(crate) fn tell_claim(&mut self, channel: &Channel, claim: channels::reservations::Message) {
        let message = Message::Claim(topic(channel), claim).encode();
        self.woken |= self.outlets.tell(&message);
    }

    pub(crate) fn tell_claim_to(
        &mut self,
        to: NodeId,
        channel: &Channel,
        claim: channels::reservations::Message,
    ) {
        let message = Message::Claim(topic(channel), claim).encode();
        self.woken |= self.outlets.tell_one(to, message);
    }

    /// Answers a peer's claim, after everything that was decided without knowing it.
    pub(crate) fn answer_claim(
        &mut self,
        to: NodeId,
        channel: &Channel,
        entry: Option<&Entry>,
        answer: channels::reservations::Message,
    ) {
        let answer = Message::Claim(topic(channel), answer).encode();
        self.woken |= self
            .outlets
            .answer(to, answer, || entry.map_or_else(Entries::new, |entry| facts(channel, entry)));
    }

    /// Tells the counts that have changed since the last time.
    pub(crate) fn tell_counts(&mut self, registry: &Registry) {
        for channel in std::mem::take(&mut self.counts) {
            registry.read(APP, &channel, |entry| {
                let of_us = |entry: &Entry| entry.subscribers().of_node(NodeId::LOCAL);
                let count = entry.map_or(0, |(_, entry)| of_us(entry));
                let fact = Message::Subscriptions(topic(&channel), count).encode();
                self.woken |= self.outlets.tell_patiently(&fact);
            });
        }
    }

    /// Sends an event to the nodes that have subscribers.
    pub(crate) fn forward(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        frame: &Bytes,
        except: Option<(u64, u64)>,
    ) {
        let interested: Vec<NodeId> = entry.subscribers().nodes().collect();
        if self.outlets.is_alone() || interested.is_empty() {
            return;
        }
        let event = Message::Event(topic(channel), Event { except, frame: frame.clone() });
        let facts = || facts(channel, entry);
        self.woken |= self.outlets.send(|to| interested.contains(&to), &event.encode(), facts);
    }
}

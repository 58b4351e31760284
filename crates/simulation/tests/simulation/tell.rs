//! What peers are told, decided under the channel's lock like everything else about it.

use bytes::Bytes;
use registry::{Entry, MemberChange, NodeId, Occupancy, Own, Registry};
use replication::{Event, Message, Tickets, Topic};

use crate::Channel;
use crate::local::Local;
use crate::node::APP;

fn topic(channel: &Channel) -> Topic<'_> {
    Topic { app: APP, channel }
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
                self.woken |= self.outlets.tell(&fact);
            }
            _ => drop(self.counts.insert(channel.clone())),
        }
    }

    fn tell_member(&mut self, channel: &Channel, own: &Own) {
        let message = match &own.member {
            Some(MemberChange::Added(member)) => Message::Joined(topic(channel), member.clone()),
            Some(MemberChange::Removed(member)) => Message::Left(topic(channel), &member.id),
            None => return,
        };
        self.woken |= self.outlets.tell(&message.encode());
    }

    /// Tells the counts that have changed since the last time.
    pub(crate) fn tell_counts(&mut self, registry: &Registry) {
        for channel in std::mem::take(&mut self.counts) {
            registry.read(APP, &channel, |entry| {
                let of_us = |entry: &Entry| entry.subscribers().of_node(NodeId::LOCAL);
                let count = entry.map_or(0, |(_, entry)| of_us(entry));
                let fact = Message::Subscriptions(topic(&channel), count).encode();
                self.woken |= self.outlets.tell(&fact);
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
        let facts = || {
            let entry = Some(entry).filter(|entry| entry.is_held_by(NodeId::LOCAL))?;
            let subscriptions = entry.subscribers().of_node(NodeId::LOCAL);
            let members = entry.roster().of_node(NodeId::LOCAL).cloned().collect();
            Some(Message::Everything(topic(channel), subscriptions, members).encode())
        };
        self.woken |= self.outlets.send(|to| interested.contains(&to), &event.encode(), facts);
    }
}

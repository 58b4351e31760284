//! A shard's channel -> subscribers table. Subscribers and subscriptions point at each other, so
//! that both ends are found and removed without a search.

use std::hash::BuildHasher;
use std::sync::Arc;

use channels::Topic;
use channels::registry::Member;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use slab::Slab;
use smallvec::SmallVec;

use super::connection::Connections;

/// One connection in a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscriber {
    /// The connection's index.
    pub(crate) connection: u32,
    /// Where the connection's own record of it is.
    subscription: u32,
    /// Whether the subscription's turn in the inbox has come.
    pub(crate) active: bool,
}

/// A connection's record of one channel.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// The channel's slot.
    pub(crate) slot: u32,
    /// Where in the channel the subscriber is.
    place: u32,
    /// The member that the subscription speaks for, on presence channels.
    pub(crate) member: Option<Arc<Member>>,
}

struct Channel {
    topic: Topic,
    subscribers: SmallVec<[Subscriber; 1]>,
}

/// Every channel that this shard has a connection in.
#[derive(Default)]
pub(crate) struct Channels {
    slots: Slab<Channel>,
    by_topic: HashTable<u32>,
    hasher: RandomState,
    subscriptions: usize,
}

impl Channels {
    /// Channels held.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Subscriptions held, over all channels.
    pub(crate) fn subscriptions(&self) -> usize {
        self.subscriptions
    }

    /// The slot of a topic that somebody here follows.
    pub(crate) fn slot(&self, topic: &Topic) -> Option<u32> {
        let is_it = |&slot: &u32| self.slots[slot as usize].topic == *topic;
        self.by_topic.find(self.hash(topic), is_it).copied()
    }

    /// The followers of a topic.
    pub(crate) fn subscribers(&self, topic: &Topic) -> &[Subscriber] {
        self.slot(topic).map_or(&[], |slot| &self.slots[slot as usize].subscribers)
    }

    /// Where in its own list a connection has the topic.
    pub(crate) fn find(
        &self,
        connections: &Connections,
        index: u32,
        topic: &Topic,
    ) -> Option<usize> {
        let slot = self.slot(topic)?;
        let subscribers = &self.slots[slot as usize].subscribers;
        let own = &connections[index as usize].subscriptions;
        // Either end will do: the shorter list is searched.
        if own.len() <= subscribers.len() {
            own.iter().position(|subscription| subscription.slot == slot)
        } else {
            let subscriber = subscribers.iter().find(|s| s.connection == index)?;
            Some(subscriber.subscription as usize)
        }
    }

    /// Adds a connection to a topic that it does not follow yet. It receives nothing before
    /// [`activate`](Self::activate).
    pub(crate) fn attach(
        &mut self,
        connections: &mut Connections,
        index: u32,
        topic: &Topic,
        member: Option<Arc<Member>>,
    ) {
        let slot = self.slot(topic).unwrap_or_else(|| self.add(topic));
        let subscribers = &mut self.slots[slot as usize].subscribers;
        let own = &mut connections[index as usize].subscriptions;
        let (place, subscription) = (subscribers.len() as u32, own.len() as u32);
        subscribers.push(Subscriber { connection: index, subscription, active: false });
        own.push(Subscription { slot, place, member });
        self.subscriptions += 1;
    }

    /// From now on the connection receives what the topic is sent; false if it has left.
    pub(crate) fn activate(
        &mut self,
        connections: &Connections,
        index: u32,
        topic: &Topic,
    ) -> bool {
        let Some(at) = self.find(connections, index, topic) else { return false };
        let Subscription { slot, place, .. } = connections[index as usize].subscriptions[at];
        self.slots[slot as usize].subscribers[place as usize].active = true;
        true
    }

    /// Takes the subscription at `at` of a connection's list out, on both ends.
    pub(crate) fn detach(
        &mut self,
        connections: &mut Connections,
        index: u32,
        at: usize,
    ) -> (Topic, Option<Arc<Member>>) {
        let own = &mut connections[index as usize].subscriptions;
        let Subscription { slot, place, member } = own.swap_remove(at);
        let moved = own.get(at).map(|moved| (moved.slot, moved.place));
        if own.is_empty() {
            *own = Vec::new();
        }
        if let Some((slot, place)) = moved {
            let subscriber = &mut self.slots[slot as usize].subscribers[place as usize];
            subscriber.subscription = at as u32;
        }

        let subscribers = &mut self.slots[slot as usize].subscribers;
        subscribers.swap_remove(place as usize);
        if let Some(moved) = subscribers.get(place as usize) {
            let own = &mut connections[moved.connection as usize].subscriptions;
            own[moved.subscription as usize].place = place;
        }
        self.subscriptions -= 1;
        let topic = self.slots[slot as usize].topic.clone();
        if self.slots[slot as usize].subscribers.is_empty() {
            self.remove(slot);
        }
        (topic, member)
    }

    fn add(&mut self, topic: &Topic) -> u32 {
        let channel = Channel { topic: topic.clone(), subscribers: SmallVec::new() };
        let slot = self.slots.insert(channel) as u32;
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash = |&slot: &u32| hash(hasher, &slots[slot as usize].topic);
        self.by_topic.insert_unique(hash(&slot), slot, hash);
        slot
    }

    fn remove(&mut self, slot: u32) {
        let topic = self.slots.remove(slot as usize).topic;
        if let Ok(entry) = self.by_topic.find_entry(self.hash(&topic), |&other| other == slot) {
            entry.remove();
        }
        if self.slots.is_empty() {
            // A shard that was full once gives its memory back when it is empty.
            self.slots = Slab::new();
            self.by_topic = HashTable::new();
        }
    }

    fn hash(&self, topic: &Topic) -> u64 {
        hash(&self.hasher, topic)
    }
}

fn hash(hasher: &RandomState, topic: &Topic) -> u64 {
    hasher.hash_one((&*topic.app, &*topic.channel, topic.audience))
}

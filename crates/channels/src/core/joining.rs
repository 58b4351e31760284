//! A join, from the first subscription to the welcome: what follows when somebody waits, and when
//! what was waited for is there. `joins` keeps those who wait.

use std::sync::Arc;

use protocol::channel;

use super::Channels;
use super::dispatch::Dispatch;
use super::joins::{Decided, Newcomer};
use crate::delivery::{Delivery, LastEvent, Welcome};
use crate::last_events::CachedEvent;
use crate::registry::{Entry, LocalChange, Locked, Member};
use crate::runtime::{Interests, Runtime};
use crate::topic::Topic;

impl<R: Runtime> Channels<R> {
    /// Takes the joins of a channel as far as they can go now: the members have changed, peers have
    /// answered, or somebody has waited for long enough.
    pub(super) fn advance_joins(&self, topic: &Topic) {
        if !self.joins.is_idle() {
            self.dispatch().advance(topic);
        }
    }

    /// A cache channel's last event was fetched from where all nodes keep it: none if there is none,
    /// or it cannot be had. `settle` is called while the channel is locked: whoever comes after it
    /// does not wait for this answer.
    pub fn last_event_fetched<T>(
        &self,
        topic: &Topic,
        event: Option<CachedEvent>,
        settle: impl FnOnce() -> T,
    ) -> T {
        let now = self.runtime.now();
        let mut dispatch = self.dispatch();
        self.registry.update(&topic.app, &topic.channel, |locked, entry| {
            if let Some(event) = event {
                self.last_events.learn(&topic.app, &topic.channel, Arc::new(event), now);
            }
            let settled = settle();
            dispatch.pass(locked, topic, entry, true);
            settled
        })
    }

    /// Takes the joins of several channels as far as they can go now. Every shard is woken once.
    pub(super) fn advance_all(&self, topics: &[Topic]) {
        let mut dispatch = self.dispatch();
        topics.iter().for_each(|topic| dispatch.advance(topic));
    }
}

impl<R: Runtime> Dispatch<'_, R> {
    fn advance(&mut self, topic: &Topic) {
        let Channels { registry, joins, .. } = self.channels;
        registry.update(&topic.app, &topic.channel, |locked, entry| {
            while let Some(decided) = joins.decide_place(locked, topic, entry.roster()) {
                self.decide_place(locked, topic, entry, decided);
            }
            self.pass(locked, topic, entry, false);
        });
    }

    /// It is decided whether somebody who waited for a place in a presence channel has it.
    fn decide_place(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &mut Entry,
        decided: Decided,
    ) {
        let Decided { who, member, limit, granted, settled } = decided;
        if granted {
            let interests = self.channels.runtime.app(&topic.app).interests;
            let newcomer = Newcomer { who, asked: true };
            self.enter(locked, topic, entry, newcomer, Some(&member), interests);
        } else {
            let refuse = Delivery::Refuse { to: who.id, topic: topic.clone(), limit };
            self.deliver(locked, who.shard, refuse);
        }
        self.send_claim(locked, topic, settled);
    }

    /// Somebody for whom there is a place subscribes. True if it is welcome at once.
    pub(super) fn enter(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &mut Entry,
        newcomer: Newcomer,
        member: Option<&Arc<Member>>,
        interests: Interests,
    ) -> bool {
        let transitions = entry.apply(newcomer.who.shard, LocalChange::Subscribe { member });
        self.follow(locked, topic, entry, &transitions, interests);
        let acks = self.send_subscribed(locked, topic, entry, &transitions.own);
        let Channels { joins, runtime, streams, .. } = self.channels;
        let waits = match streams.is_alone() {
            true => None,
            false => joins.await_interest(locked, topic, newcomer, acks, || runtime.now()),
        };
        if let Some(wakes) = waits {
            self.wake_timer(wakes);
            // Both are waited for at the same time.
            self.fetch_last_event(locked, topic);
            return false;
        }
        self.complete(locked, topic, entry, newcomer, interests)
    }

    /// Somebody has to wait for the channel's last event and for nothing else. True if it is welcome
    /// at once.
    pub(super) fn complete(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &Entry,
        newcomer: Newcomer,
        interests: Interests,
    ) -> bool {
        if newcomer.asked && self.fetch_last_event(locked, topic) {
            let Channels { joins, runtime, .. } = self.channels;
            let wakes = joins.await_last_event(locked, topic, newcomer.who, runtime.now());
            self.wake_timer(wakes);
            return false;
        }
        self.welcome(locked, topic, entry, newcomer, interests);
        true
    }

    /// Those who need not wait any longer go on.
    fn pass(&mut self, locked: Locked<'_>, topic: &Topic, entry: &Entry, is_fetched: bool) {
        let Channels { joins, runtime, .. } = self.channels;
        let passed = joins.pass(locked, topic, || runtime.now(), is_fetched);
        if passed.is_empty() {
            return;
        }
        let interests = runtime.app(&topic.app).interests;
        for one in passed {
            if one.needs_last_event {
                self.complete(locked, topic, entry, one.newcomer, interests);
            } else {
                self.welcome(locked, topic, entry, one.newcomer, interests);
            }
        }
        self.count_subscriptions(locked, topic, entry, interests);
    }

    /// From here on a connection receives what the topic is sent; if it asked, it is told so.
    fn welcome(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &Entry,
        newcomer: Newcomer,
        interests: Interests,
    ) {
        let Newcomer { who, asked } = newcomer;
        let welcome = if asked { self.first_frames(topic, entry) } else { Welcome::Silent };
        if matches!(welcome, Welcome::Succeeded { last: LastEvent::Missing, .. }) {
            self.note_miss(locked, topic, interests);
        }
        let welcome = Delivery::Welcome { to: who.id, topic: topic.clone(), welcome };
        self.deliver(locked, who.shard, welcome);
    }

    fn first_frames(&self, topic: &Topic, entry: &Entry) -> Welcome {
        let class = channel::classify(&topic.channel);
        let roster = class.is_presence().then(|| entry.roster().members().cloned().collect());
        let Channels { last_events, runtime, .. } = self.channels;
        let last = match class.is_cache() {
            false => LastEvent::NotKept,
            true => last_events
                .get(&topic.app, &topic.channel, runtime.now())
                .map_or(LastEvent::Missing, LastEvent::Event),
        };
        Welcome::Succeeded { roster, last }
    }

    /// Whether a channel's last event is being fetched; it is, if need be.
    fn fetch_last_event(&mut self, _: Locked<'_>, topic: &Topic) -> bool {
        if !topic.is_cache() {
            return false;
        }
        let Channels { last_events, runtime, .. } = self.channels;
        let is_known = last_events.get(&topic.app, &topic.channel, runtime.now()).is_some();
        let is_fetched = runtime.fetch_last_event(topic, is_known);
        self.wake_store(is_fetched);
        is_fetched
    }
}

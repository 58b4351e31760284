//! What follows from a change for this node's own subscribers, and what a backend may have to hear of
//! it; the same for a change here and for one that a peer told.

use std::sync::Arc;

use protocol::channel;

use super::Channels;
use super::dispatch::Dispatch;
use crate::announcer::{Note, Origin, Subject};
use crate::delivery::Delivery;
use crate::frames;
use crate::registry::{Entry, Found, Locked, MemberChange, Occupancy, Transitions};
use crate::replication::Follow;
use crate::runtime::{Interests, Runtime};
use crate::topic::Topic;

impl<R: Runtime> Dispatch<'_, R> {
    /// Tells our subscribers and watchers what changed (W31, W49), and notes it for backends.
    pub(super) fn follow(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &Entry,
        transitions: &Transitions,
        interests: Interests,
    ) {
        self.announce(locked, topic, entry, transitions);
        self.note_transitions(locked, topic, transitions, interests);
    }

    fn announce(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &Entry,
        transitions: &Transitions,
    ) {
        for change in &transitions.members {
            let frame = match change {
                MemberChange::Added(member) => frames::member_added(&topic.channel, member),
                MemberChange::Removed(member) => frames::member_removed(&topic.channel, member),
            };
            self.deliver_frame(locked, entry.subscribers(), topic, &frame, None);
        }
        let Some(occupancy) = transitions.occupancy else { return };
        if let Some(user_id) = channel::user_id(&topic.channel) {
            let watchers = Topic::watchers(&topic.app, topic.channel.clone());
            let user_id: Arc<str> = user_id.into();
            self.deliver_all(locked, entry.watchers(), || Delivery::Presence {
                topic: watchers.clone(),
                user_id: user_id.clone(),
                online: occupancy == Occupancy::Occupied,
            });
        }
    }

    /// Notes who came and who went. Every node does for every channel, whoever will announce it.
    fn note_transitions(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        transitions: &Transitions,
        interests: Interests,
    ) {
        let nothing = transitions.occupancy.is_none() && transitions.members.is_empty();
        if nothing || channel::user_id(&topic.channel).is_some() {
            return;
        }
        let occupancy = transitions.occupancy.filter(|_| interests.occupancy);
        // A channel is occupied before its first member is added, and vacated after its last one
        // was removed.
        if occupancy == Some(Occupancy::Occupied) {
            self.note(locked, Note::Came(subject(topic)));
        }
        for change in transitions.members.iter().filter(|_| interests.members) {
            let of = |id: &str| Subject { member: Some(id.into()), ..subject(topic) };
            let note = match change {
                MemberChange::Added(member) => Note::Came(of(&member.id)),
                MemberChange::Removed(member) => Note::Went(of(&member.id)),
            };
            self.note(locked, note);
        }
        if occupancy == Some(Occupancy::Vacated) {
            self.note(locked, Note::Went(subject(topic)));
        }
    }

    /// Notes that somebody found a cache channel empty (W44).
    pub(super) fn note_miss(&mut self, locked: Locked<'_>, topic: &Topic, interests: Interests) {
        if interests.cache_misses {
            self.note(locked, Note::Missed(subject(topic), Origin::Here));
        }
    }

    /// Says how many are subscribed, where the app wants that, or later if the channel is busy (W52).
    pub(super) fn count_subscriptions(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &Entry,
        interests: Interests,
    ) {
        let wanted = interests.counts_for_clients || interests.counts;
        let class = channel::classify(&topic.channel);
        if !wanted || class.is_presence() || channel::user_id(&topic.channel).is_some() {
            return;
        }
        let Channels { subscription_counts, runtime, .. } = self.channels;
        if subscription_counts.is_due(topic, entry.subscribers().total(), runtime.now()) {
            self.say_count(locked, topic, entry, interests);
        }
    }

    /// Says how many are subscribed.
    pub(super) fn say_count(
        &mut self,
        locked: Locked<'_>,
        topic: &Topic,
        entry: &Entry,
        interests: Interests,
    ) {
        let count = entry.subscribers().total();
        if interests.counts_for_clients {
            let frame = frames::subscription_count(&topic.channel, count);
            self.deliver_frame(locked, entry.subscribers(), topic, &frame, None);
        }
        if interests.counts {
            self.note(locked, Note::Counted(subject(topic), count));
        }
    }
}

impl<R: Runtime> Follow for Dispatch<'_, R> {
    /// What follows for our own subscribers from what another node told of a channel.
    fn follow(&mut self, locked: Locked<'_>, found: Found<'_>, transitions: Transitions) {
        let Found { app, channel, entry } = found;
        let topic = Topic::subscribers(app, channel.clone());
        let interests = self.channels.runtime.app(app).interests;
        Dispatch::follow(self, locked, &topic, entry, &transitions, interests);
        if transitions.counted {
            self.count_subscriptions(locked, &topic, entry, interests);
        }
    }

    /// A node's death concerns many channels: those whom the first of them concern need not wait for
    /// the last.
    fn unlocked(&mut self) {
        self.flush();
    }
}

/// A channel, as the announcer knows it.
fn subject(topic: &Topic) -> Subject {
    Subject { app: topic.app.clone(), channel: topic.channel.clone(), member: None }
}

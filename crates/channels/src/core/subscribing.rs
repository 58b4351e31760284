//! Subscriptions and watches as they begin and end.

use std::sync::Arc;

use super::Channels;
use super::joins::{Applicant, Departure, Newcomer, Reserved};
use crate::delivery::{Delivery, Welcome};
use crate::registry::{Found, LocalChange, Locked, Member, Roster};
use crate::runtime::{Interests, Runtime};
use crate::topic::{Audience, ConnectionRef, Topic};

/// A connection that subscribes.
#[derive(Clone, Copy, Debug)]
pub struct Subscription<'a> {
    /// Who subscribes.
    pub who: ConnectionRef,
    /// The member that it speaks for, on presence channels.
    pub member: Option<&'a Arc<Member>>,
    /// The most distinct members that a presence channel may have (W33).
    pub max_members: Option<usize>,
    /// Whether the client asked, and is told.
    pub asked: bool,
}

/// How a subscription was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// It counts, or waits for a place; the connection is told in time.
    Accepted,
    /// The presence channel has all the members that it may have (W33).
    Full,
}

/// How far a subscription came at once.
enum Joined {
    Welcome,
    /// It counts, and waits for peers or the last event.
    Waits,
    AwaitsPlace,
    Full,
}

impl<R: Runtime> Channels<R> {
    /// Decides a subscription; its first frames and everything after them are deliveries to its
    /// shard, which has the connection in its table of the topic already.
    pub fn subscribe(
        &self,
        topic: &Topic,
        interests: Interests,
        subscription: Subscription<'_>,
    ) -> Subscribed {
        let Subscription { who, member, max_members, asked } = subscription;
        let mut dispatch = self.dispatch();
        let joined = self.registry.update(&topic.app, &topic.channel, |locked, entry| {
            if let (Some(member), Some(limit)) = (member, max_members) {
                let applicant = Applicant { who, member, limit };
                match self.place(locked, topic, entry.roster(), applicant) {
                    Reserved::Free => {}
                    Reserved::None => return Joined::Full,
                    Reserved::Claimed(claim) => {
                        dispatch.send_claim(locked, topic, claim);
                        dispatch.wake_timer(true);
                        return Joined::AwaitsPlace;
                    }
                }
            }
            let newcomer = Newcomer { who, asked };
            if dispatch.enter(locked, topic, entry, newcomer, member, interests) {
                dispatch.count_subscriptions(locked, topic, entry, interests);
                return Joined::Welcome;
            }
            Joined::Waits
        });
        drop(dispatch);
        match joined {
            Joined::Welcome => {}
            // The peers may have answered before it was noted that somebody waits for that.
            Joined::Waits => self.advance_acknowledged(),
            // There may be nobody whose answer is waited for.
            Joined::AwaitsPlace => self.advance_joins(topic),
            Joined::Full => return Subscribed::Full,
        }
        Subscribed::Accepted
    }

    /// A connection that is subscribed already asks again (W27).
    pub fn subscribe_again(&self, topic: &Topic, interests: Interests, who: ConnectionRef) {
        let mut dispatch = self.dispatch();
        self.registry.read(&topic.app, &topic.channel, |locked, found| {
            // Whoever waits is told in time.
            if !self.joins.ask_again(locked, topic, who)
                && let Some(Found { entry, .. }) = found
            {
                let newcomer = Newcomer { who, asked: true };
                dispatch.complete(locked, topic, entry, newcomer, interests);
            }
        });
    }

    /// A connection, which its shard's table no longer has in the topic, is gone from there.
    pub fn unsubscribe(
        &self,
        topic: &Topic,
        interests: Interests,
        who: ConnectionRef,
        member: Option<&Member>,
    ) {
        if topic.audience == Audience::Watchers {
            return self.registry.update(&topic.app, &topic.channel, |_, entry| {
                entry.apply(who.shard, LocalChange::Unwatch);
            });
        }
        let mut dispatch = self.dispatch();
        self.registry.update(&topic.app, &topic.channel, |locked, entry| {
            match self.joins.leave(locked, topic, who) {
                Departure::Counted => {}
                Departure::Claimed(settled) => return dispatch.send_claim(locked, topic, settled),
                Departure::Refused => return,
            }
            let user_id = member.map(|member| &*member.id);
            let transitions = entry.apply(who.shard, LocalChange::Unsubscribe { user_id });
            dispatch.follow(locked, topic, entry, &transitions, interests);
            dispatch.send_unsubscribed(locked, topic, &transitions.own);
            dispatch.count_subscriptions(locked, topic, entry, interests);
        });
        drop(dispatch);
        self.advance_joins(topic);
    }

    /// Watches a user (W49): the present state now, every change from now on.
    pub fn watch(&self, topic: &Topic, who: ConnectionRef, user_id: Arc<str>) {
        let mut dispatch = self.dispatch();
        self.registry.update(&topic.app, &topic.channel, |locked, entry| {
            entry.apply(who.shard, LocalChange::Watch);
            let (to, topic, welcome) = (who.id, topic.clone(), Welcome::Silent);
            dispatch.deliver(locked, who.shard, Delivery::Welcome { to, topic, welcome });
            let online = entry.is_occupied();
            dispatch.deliver(locked, who.shard, Delivery::Watched { to, user_id, online });
        });
    }

    /// Whether a connection, for which its shard has a subscription to the channel, has no place
    /// there, or not yet.
    pub fn has_no_place(&self, topic: &Topic, who: ConnectionRef) -> bool {
        self.joins.has_no_place(topic, who)
    }

    /// A shard hears that a connection gets no place; false if the connection has left since, or
    /// tries again.
    pub fn take_refusal(&self, topic: &Topic, who: ConnectionRef) -> bool {
        self.joins.take_refusal(topic, who)
    }

    /// Whether there is a place in a presence channel for somebody.
    fn place(
        &self,
        locked: Locked<'_>,
        topic: &Topic,
        roster: &Roster,
        applicant: Applicant<'_>,
    ) -> Reserved {
        let Applicant { member, limit, .. } = applicant;
        if self.streams.is_alone() {
            let is_full = roster.len() >= limit && !roster.contains(&member.id);
            return if is_full { Reserved::None } else { Reserved::Free };
        }
        self.joins.reserve(locked, topic, roster, applicant, || self.runtime.now())
    }
}

//! The one place where what happens on a channel is decided: each function takes the channel's
//! stripe, changes the facts, and hands the consequences to the shards before it lets go. So the
//! order of decisions is the order in which everybody sees them.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use channels::registry::{Change, Entry, Member, MemberChange, Occupancy, ShardId, Transitions};
use protocol::channel;
use protocol::close::Close;
use protocol::socket_id::SocketId;
use protocol::webhook::EventKind;

use super::dispatch::Dispatch;
use super::op::{Audience, ConnectionId, Op, Topic, Welcome};
use crate::apps::{App, Counters, Settings};
use crate::frames;
use crate::node::Node;
use crate::peers::{Place, Waiter, Withdrawn};

/// A connection that subscribes.
pub(crate) struct Newcomer<'a> {
    pub(crate) shard: ShardId,
    pub(crate) connection: ConnectionId,
    /// The member that it speaks for, on presence channels.
    pub(crate) member: Option<&'a Arc<Member>>,
    /// The most distinct members that a presence channel may have.
    pub(crate) max_members: Option<usize>,
    /// Whether the client asked, and is told.
    pub(crate) asked: bool,
}

/// How a subscription was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It counts from now on.
    Yes,
    /// It counts from now on, and is told when the other nodes know of it, or when the channel's
    /// last event is known.
    HeldBack,
    /// The presence channel has all the members that it may have (W33).
    Full,
    /// Other nodes may be about to give the last places away: it does not count yet, and the client
    /// is told when that is decided.
    Claimed,
}

impl Node {
    /// Decides a subscription; its first frames and everything after them come out of its shard's
    /// inbox.
    pub(crate) fn subscribe(&self, app: &App, topic: &Topic, newcomer: Newcomer<'_>) -> Joined {
        let mut dispatch = self.dispatch();
        let joined = self.registry.update(&topic.app, &topic.channel, |entry| {
            match self.peers.place(topic, entry.roster(), &newcomer) {
                Place::Free => {}
                Place::None => return Joined::Full,
                Place::Claimed(claim) => {
                    dispatch.tell_claim(topic, claim);
                    return Joined::Claimed;
                }
            }
            let joined = self.enter(&mut dispatch, Some(app), topic, entry, &newcomer);
            if joined == Joined::Yes {
                self.count_subscriptions(&mut dispatch, app, topic, entry);
            }
            joined
        });
        drop(dispatch);
        match joined {
            // The peers may have answered before it was noted that somebody waits for that.
            Joined::HeldBack => self.settle_waits(),
            // There may be nobody whose answer is waited for.
            Joined::Claimed => self.settle_places(topic),
            Joined::Yes | Joined::Full => {}
        }
        joined
    }

    /// Somebody for whom there is a place subscribes.
    pub(crate) fn enter(
        &self,
        dispatch: &mut Dispatch<'_>,
        app: Option<&App>,
        topic: &Topic,
        entry: &mut Entry,
        newcomer: &Newcomer<'_>,
    ) -> Joined {
        let &Newcomer { shard, connection, member, asked, .. } = newcomer;
        let transitions = entry.apply(shard, Change::Subscribe { member });
        self.announce(dispatch, topic, entry, &transitions);
        dispatch.notify(app, topic, &transitions);
        let tickets = dispatch.tell_subscribed(topic, entry, &transitions.own);
        let waiter = Waiter { shard, connection, asked };
        if self.peers.hold_back(topic, tickets, waiter) {
            // Both are waited for at the same time.
            self.ask_for_last(dispatch, topic);
            return Joined::HeldBack;
        }
        self.activate(dispatch, topic, entry, waiter)
    }

    /// Welcomes a connection again that is subscribed already (W27).
    pub(crate) fn welcome_again(&self, topic: &Topic, shard: ShardId, to: ConnectionId) {
        let mut dispatch = self.dispatch();
        self.registry.read(&topic.app, &topic.channel, |entry| {
            let Some((_, entry)) = entry else { return };
            // Whoever has no place yet is told in time, too.
            let is_waiting = self.peers.has_no_place(topic, shard, to)
                || self.peers.is_held_back(topic, shard, to)
                || self.awaits_last(topic, shard, to);
            if !is_waiting {
                let again = Waiter { shard, connection: to, asked: true };
                self.activate(&mut dispatch, topic, entry, again);
            }
        });
    }

    /// Lets those receive what a topic is sent whose subscriptions were held back.
    pub(crate) fn welcome_late(&self, dispatch: &mut Dispatch<'_>, topic: &Topic, number: u64) {
        let app = self.apps.by_id(&topic.app);
        self.registry.read(&topic.app, &topic.channel, |entry| {
            let waiters = self.peers.let_go(topic, number);
            let Some((_, entry)) = entry.filter(|_| !waiters.is_empty()) else { return };
            for waiter in waiters {
                self.activate(dispatch, topic, entry, waiter);
            }
            if let Some(app) = app {
                self.count_subscriptions(dispatch, &app, topic, entry);
            }
        });
    }

    /// The same of those who waited for the channel's last event.
    pub(crate) fn welcome_all(
        &self,
        dispatch: &mut Dispatch<'_>,
        topic: &Topic,
        entry: &Entry,
        waiters: &[Waiter],
    ) {
        waiters.iter().for_each(|waiter| self.activate_now(dispatch, topic, entry, *waiter));
        if let Some(app) = self.apps.by_id(&topic.app) {
            self.count_subscriptions(dispatch, &app, topic, entry);
        }
    }

    fn activate(
        &self,
        dispatch: &mut Dispatch<'_>,
        topic: &Topic,
        entry: &Entry,
        who: Waiter,
    ) -> Joined {
        if who.asked && self.await_last(dispatch, topic, who) {
            return Joined::HeldBack;
        }
        self.activate_now(dispatch, topic, entry, who);
        Joined::Yes
    }

    fn activate_now(&self, dispatch: &mut Dispatch<'_>, topic: &Topic, entry: &Entry, who: Waiter) {
        let welcome = if who.asked { self.welcome(topic, entry) } else { Welcome::Silent };
        if matches!(welcome, Welcome::Succeeded { cached: Some(None), .. }) {
            dispatch.notify_miss(self.apps.by_id(&topic.app).as_deref(), topic);
        }
        let activate = Op::Activate { to: who.connection, topic: topic.clone(), welcome };
        dispatch.send(who.shard, activate);
    }

    /// Decides that a connection, which its shard's table no longer has in the topic, is gone.
    pub(crate) fn unsubscribe(
        &self,
        app: &App,
        topic: &Topic,
        (shard, connection): (ShardId, ConnectionId),
        member: Option<&Member>,
    ) {
        let mut dispatch = self.dispatch();
        self.registry.update(&topic.app, &topic.channel, |entry| {
            match self.peers.withdraw(topic, shard, connection) {
                Withdrawn::Nothing => {}
                Withdrawn::Claim(settled) => return dispatch.tell_claim(topic, settled),
                Withdrawn::Refusal => return,
            }
            let change = match topic.audience {
                Audience::Watchers => Change::Unwatch,
                Audience::Subscribers => Change::Unsubscribe { user_id: member.map(|m| &*m.id) },
            };
            let transitions = entry.apply(shard, change);
            self.announce(&mut dispatch, topic, entry, &transitions);
            if topic.audience == Audience::Subscribers {
                dispatch.notify(Some(app), topic, &transitions);
                dispatch.tell_unsubscribed(topic, &transitions.own);
                self.peers.do_not_hold_back(topic, shard, connection);
                self.await_last_no_more(topic, shard, connection);
            }
            self.count_subscriptions(&mut dispatch, app, topic, entry);
        });
        drop(dispatch);
        self.settle_places(topic);
    }

    /// Watches a user (W49): the present state now, every change from now on.
    pub(crate) fn watch(&self, topic: &Topic, shard: ShardId, to: ConnectionId, user_id: Arc<str>) {
        let mut dispatch = self.dispatch();
        self.registry.update(&topic.app, &topic.channel, |entry| {
            entry.apply(shard, Change::Watch);
            let welcome = Welcome::Silent;
            dispatch.send(shard, Op::Activate { to, topic: topic.clone(), welcome });
            dispatch.send(shard, Op::Watched { to, user_id, online: entry.is_occupied() });
        });
    }

    /// Sends an event to everybody who is subscribed to a channel. `kept` is the event's data as a
    /// JSON literal, if the event becomes the channel's last one (W43).
    pub(crate) fn publish(
        &self,
        app: &App,
        channel: &str,
        frame: &Bytes,
        except: Option<SocketId>,
        kept: Option<&str>,
    ) {
        Counters::add(&app.counters.publishes, 1);
        let mut dispatch = self.dispatch();
        self.registry.read(&app.id, channel, |entry| {
            let kept = kept.and_then(|data| {
                let at = (self.peers.incarnation(), Instant::now());
                self.cache.put(&app.id, channel, frame.clone(), data, at)
            });
            if let Some(shared) = self.shared_cache.as_ref().filter(|_| kept.is_some()) {
                shared.put((app.id.clone(), channel.into()));
                dispatch.wake_cache = true;
            }
            let told = channels::replication::Topic { app: &app.id, channel };
            dispatch.forward(told, entry.map(|(_, entry)| entry), frame, except, kept.as_deref());
            if let Some((channel, entry)) = entry {
                let topic = Topic::subscribers(&app.id, channel.clone());
                dispatch.deliver(entry.subscribers(), &topic, frame, except);
            }
        });
    }

    /// An event that was published at another node, for our own subscribers. `is_fresh` is asked
    /// in the order of decisions, and says whether it is delivered.
    pub(crate) fn receive(
        &self,
        app: &Arc<str>,
        channel: &str,
        frame: &[u8],
        except: Option<SocketId>,
        is_fresh: impl FnOnce() -> bool,
    ) {
        let mut dispatch = self.dispatch();
        self.registry.read(app, channel, |entry| {
            if is_fresh()
                && let Some((channel, entry)) = entry
                && entry.subscribers().shards().next().is_some()
            {
                let topic = Topic::subscribers(app, channel.clone());
                // A copy, for the frame is a piece of a whole packet, which a slow reader's backlog
                // must not keep.
                let frame = Bytes::copy_from_slice(frame);
                dispatch.deliver(entry.subscribers(), &topic, &frame, except);
            }
        });
    }

    /// Closes every connection that is subscribed to a channel: this node's, and if it is `ours` to
    /// tell, every other node's.
    pub(crate) fn close_subscribers(&self, app: &App, channel: &str, close: &Close, ours: bool) {
        let mut dispatch = self.dispatch();
        self.registry.read(&app.id, channel, |entry| {
            let Some((channel, entry)) = entry else { return };
            if ours {
                dispatch.forward_close(
                    channels::replication::Topic { app: &app.id, channel },
                    entry,
                    close,
                );
            }
            let topic = Topic::subscribers(&app.id, channel.clone());
            dispatch.send_all(entry.subscribers(), || Op::CloseTopic {
                topic: topic.clone(),
                close: close.clone(),
            });
        });
    }

    /// What follows for our own subscribers from what another node told of a channel.
    pub(crate) fn follow(
        &self,
        dispatch: &mut Dispatch<'_>,
        topic: &Topic,
        entry: &Entry,
        transitions: &Transitions,
    ) {
        self.announce(dispatch, topic, entry, transitions);
        let app = self.apps.by_id(&topic.app);
        dispatch.notify(app.as_deref(), topic, transitions);
        if let Some(app) = app.filter(|_| transitions.counted) {
            self.count_subscriptions(dispatch, &app, topic, entry);
        }
    }

    pub(crate) fn dispatch(&self) -> Dispatch<'_> {
        Dispatch::new(&self.inboxes, &self.peers, &self.notices, self.shared_cache.as_ref())
    }

    fn welcome(&self, topic: &Topic, entry: &Entry) -> Welcome {
        let class = channel::classify(&topic.channel);
        let roster = class.is_presence().then(|| entry.roster().members().cloned().collect());
        let cached =
            class.is_cache().then(|| self.cache.get(&topic.app, &topic.channel, Instant::now()));
        Welcome::Succeeded { roster, cached }
    }

    /// Tells the others what follows from a change (W31, W49).
    fn announce(
        &self,
        dispatch: &mut Dispatch<'_>,
        topic: &Topic,
        entry: &Entry,
        transitions: &Transitions,
    ) {
        for change in &transitions.members {
            let frame = match change {
                MemberChange::Added(member) => frames::member_added(&topic.channel, member),
                MemberChange::Removed(member) => frames::member_removed(&topic.channel, member),
            };
            dispatch.deliver(entry.subscribers(), topic, &frame, None);
        }
        let Some(occupancy) = transitions.occupancy else { return };
        if let Some(user_id) = channel::user_id(&topic.channel) {
            let watchers = Topic { audience: Audience::Watchers, ..topic.clone() };
            let user_id: Arc<str> = user_id.into();
            dispatch.send_all(entry.watchers(), || Op::Presence {
                topic: watchers.clone(),
                user_id: user_id.clone(),
                online: occupancy == Occupancy::Occupied,
            });
        }
    }

    /// Says how many are subscribed, where the app wants that (W52).
    fn count_subscriptions(
        &self,
        dispatch: &mut Dispatch<'_>,
        app: &App,
        topic: &Topic,
        entry: &Entry,
    ) {
        let class = channel::classify(&topic.channel);
        let settings = app.settings.load();
        let wanted = settings.config.enable_subscription_count
            || settings.routes.want(EventKind::SubscriptionCount);
        if !wanted || class.is_presence() || channel::user_id(&topic.channel).is_some() {
            return;
        }
        let count = entry.subscribers().total();
        if self.subscription_counts.is_due(topic, count, Instant::now()) {
            say_count(dispatch, &settings, topic, entry);
        }
    }

    /// Says the counts that were held back and are due now.
    pub(crate) fn say_late_counts(&self) {
        for topic in self.subscription_counts.late(Instant::now()) {
            let Some(app) = self.apps.by_id(&topic.app) else { continue };
            let settings = app.settings.load();
            let mut dispatch = self.dispatch();
            self.registry.read(&topic.app, &topic.channel, |entry| {
                let Some((_, entry)) = entry else { return };
                say_count(&mut dispatch, &settings, &topic, entry);
            });
        }
    }
}

fn say_count(dispatch: &mut Dispatch<'_>, settings: &Settings, topic: &Topic, entry: &Entry) {
    let count = entry.subscribers().total();
    if settings.config.enable_subscription_count {
        let frame = frames::subscription_count(&topic.channel, count);
        dispatch.deliver(entry.subscribers(), topic, &frame, None);
    }
    if settings.routes.want(EventKind::SubscriptionCount) {
        dispatch.notify_count(topic, count);
    }
}

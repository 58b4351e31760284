//! What clients and backends ask for, passed on to the channels as a session and a handler do.

use std::sync::Arc;

use channels::registry::Member;
use channels::{Publish, Subscribed, Subscription as Subscribes};
use cluster::Now;

use crate::Channel;
use crate::frame::Event;
use crate::ledger::Ledger;
use crate::load::{Names, is_cache, is_user, limit};
use crate::node::Node;
use crate::socket::{SocketNumber, Subscription};
use simulation::INTERESTS;

impl Node {
    /// A client subscribes, perhaps to what it is subscribed to already.
    pub(crate) fn subscribe(
        &mut self,
        now: Now,
        names: &Names,
        number: SocketNumber,
        channel: &Channel,
        member: Option<&Arc<Member>>,
        ledger: &mut Ledger,
    ) {
        let topic = self.topic(channel);
        let socket = self.sockets.get_mut(&number).unwrap();
        let who = socket.who();
        // Nobody signs in twice.
        let asked = !is_user(channel);
        if socket.subscriptions.contains_key(channel) && !asked {
            return;
        }
        if socket.subscriptions.contains_key(channel) {
            self.channels.subscribe_again(&topic, INTERESTS, who);
            return self.settle(now, names, ledger);
        }
        let subscription = Subscription { member: member.cloned(), told: None };
        socket.subscriptions.insert(channel.clone(), subscription);
        let subscribes = Subscribes { who, member, max_members: limit(channel), asked };
        if self.channels.subscribe(&topic, INTERESTS, subscribes) == Subscribed::Full {
            socket.subscriptions.remove(channel);
        }
        let claims = self.channels.has_no_place(&topic, who);
        self.settle(now, names, ledger);
        let waits = self.subscription(number, channel).is_some_and(|one| one.told.is_none());
        ledger.summary.claimed += u64::from(claims);
        ledger.summary.waited += u64::from(waits && !claims);
    }

    /// A client unsubscribes, or is gone.
    pub(crate) fn unsubscribe(
        &mut self,
        now: Now,
        names: &Names,
        number: SocketNumber,
        channel: &Channel,
        ledger: &mut Ledger,
    ) {
        let topic = self.topic(channel);
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        let who = socket.who();
        let Some(Subscription { member, .. }) = socket.subscriptions.remove(channel) else {
            return;
        };
        if !self.channels.has_no_place(&topic, who) {
            self.told.leaves(self.channels.registry(), channel);
        }
        self.channels.unsubscribe(&topic, INTERESTS, who, member.as_deref());
        self.settle(now, names, ledger);
    }

    /// Publishes an event; a client's goes to everybody but its own socket.
    pub(crate) fn publish(
        &mut self,
        now: Now,
        names: &Names,
        channel: &Channel,
        sender: Option<(SocketNumber, Box<str>)>,
        ledger: &mut Ledger,
    ) {
        let me = self.me();
        let number = ledger.publish(me, channel);
        let from = sender.as_ref().map(|(number, _)| *number);
        let event = Event { publisher: me, number, user_id: sender.map(|(_, user_id)| user_id) };
        let frame = event.encode(channel);
        let except = from.map(|number| self.sockets[&number].id(me));
        let data = event.data();
        let kept = (is_cache(channel) && from.is_none()).then_some(&*data);
        let app = &self.app;
        self.channels.publish(Publish { app, channel, frame: &frame, except, kept });
        if kept.is_some() {
            let last = self.channels.last_events().get(app, channel, now).expect("it is kept");
            assert_eq!(last.frame, frame, "what was published just now is the last event");
            ledger.kept.insert(me, channel, last.stamp);
        }
        self.settle(now, names, ledger);
        if let Some(subscription) = from.and_then(|number| self.subscription(number, channel))
            && let Some(told) = &mut subscription.told
        {
            told.sent(&event);
        }
    }

    /// A client is gone.
    pub(crate) fn disconnect(
        &mut self,
        now: Now,
        names: &Names,
        number: SocketNumber,
        ledger: &mut Ledger,
    ) {
        let channels: Vec<Channel> = self.sockets[&number].subscriptions.keys().cloned().collect();
        for channel in &channels {
            self.unsubscribe(now, names, number, channel, ledger);
        }
        let watches: Vec<Channel> = self.sockets[&number].watches.keys().cloned().collect();
        for channel in &watches {
            self.unwatch(now, names, number, channel, ledger);
        }
        let socket = self.sockets.remove(&number);
        if socket.is_some_and(|socket| socket.has_seat()) {
            self.channels.give_slot_back(&self.app);
            self.settle(now, names, ledger);
        }
    }

    /// Every client goes.
    pub(crate) fn disconnect_all(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        let numbers: Vec<SocketNumber> = self.sockets.keys().copied().collect();
        for number in numbers {
            self.disconnect(now, names, number, ledger);
        }
    }
}

//! What happens on a channel, decided as the server decides it: each function takes the channel's
//! lock, changes the facts, and does what follows before it lets go.

use std::sync::Arc;

use channels::registry::{Change, Entry, Member};

use crate::Channel;
use crate::ledger::Ledger;
use crate::local::Local;
use crate::node::Node;
use crate::socket::{Frame, Socket, SocketNumber, Subscription};
use crate::waits::{PATIENCE, Wait};

impl Node {
    /// A client subscribes, perhaps to what it is subscribed to already.
    pub(crate) fn subscribe(
        &mut self,
        now: u64,
        socket: SocketNumber,
        channel: &Channel,
        member: Option<&Arc<Member>>,
        ledger: &mut Ledger,
    ) {
        let local = &mut self.local;
        if local.subscription(socket, channel).is_some() {
            if local.outlets.is_alone() || !local.waits.holds(channel, socket) {
                self.welcome_late(channel, socket, ledger);
            }
            return;
        }
        if local.places.of(socket).contains(channel) {
            return;
        }
        self.registry.update(&self.app, channel, |entry| {
            if local.has_place(now, channel, entry, (socket, member), ledger) {
                local.enter(now, channel, entry, (socket, member), ledger);
            }
        });
        self.settle_places(now, channel, ledger);
    }

    fn welcome_late(&mut self, channel: &Channel, socket: SocketNumber, ledger: &mut Ledger) {
        let local = &mut self.local;
        self.registry.read(&self.app, channel, |entry| {
            if let Some((_, entry)) = entry {
                local.activate(channel, entry, socket, ledger);
            }
        });
    }

    /// Tells everybody who need not wait any longer.
    pub(crate) fn settle_waits(&mut self, now: u64, ledger: &mut Ledger) {
        for over in self.local.waits.over(now) {
            if let Some((wait, early)) = self.local.interest.get_mut(&over.channel) {
                *early |= wait.until == over.until && !over.is_known();
            }
            self.welcome_late(&over.channel, over.socket, ledger);
        }
    }

    /// A client unsubscribes, or is gone.
    pub(crate) fn unsubscribe(
        &mut self,
        now: u64,
        socket: SocketNumber,
        channel: &Channel,
        ledger: &mut Ledger,
    ) {
        let local = &mut self.local;
        if local.withdraw(channel, socket) {
            return self.settle_places(now, channel, ledger);
        }
        let Some(Socket { shard, subscriptions }) = local.sockets.get_mut(&socket) else { return };
        let (shard, subscription) = (*shard, subscriptions.remove(channel));
        let Some(Subscription { member, .. }) = subscription else { return };
        local.waits.forget(channel, socket);
        self.registry.update(&self.app, channel, |entry| {
            let user_id = member.as_ref().map(|member| &*member.id);
            let transitions = entry.apply(shard, Change::Unsubscribe { user_id });
            local.announce(channel, entry, &transitions);
            local.tell_unsubscribed(channel, &transitions.own);
        });
        self.settle_places(now, channel, ledger);
    }

    /// Publishes an event; a client's goes to everybody but its own socket.
    pub(crate) fn publish(
        &mut self,
        channel: &Channel,
        sender: Option<(SocketNumber, Box<str>)>,
        ledger: &mut Ledger,
    ) {
        let local = &mut self.local;
        let number = ledger.publish(local.me, channel);
        let except = sender.as_ref().map(|(socket, _)| (local.me.0, *socket));
        let user_id = sender.map(|(_, user_id)| user_id);
        let frame = Frame { publisher: local.me, number, user_id };
        self.registry.read(&self.app, channel, |entry| {
            let Some((_, entry)) = entry else { return };
            local.forward(channel, entry, &frame.encode().into(), except);
            local.deliver(channel, entry, &frame, except, ledger);
        });
    }
}

impl Local {
    /// A client subscribes for whom there is a place.
    pub(crate) fn enter(
        &mut self,
        now: u64,
        channel: &Channel,
        entry: &mut Entry,
        (socket, member): (SocketNumber, Option<&Arc<Member>>),
        ledger: &mut Ledger,
    ) {
        let Some(Socket { shard, subscriptions }) = self.sockets.get_mut(&socket) else { return };
        let subscription = Subscription { member: member.cloned(), told: None };
        subscriptions.insert(channel.clone(), subscription);
        let transitions = entry.apply(*shard, Change::Subscribe { member });
        self.announce(channel, entry, &transitions);
        let tickets = self.tell_subscribed(channel, entry, &transitions.own);
        let mut wait = Wait { channel: channel.clone(), socket, tickets, until: now + PATIENCE };
        if transitions.own.occupancy.is_some() {
            self.interest.insert(channel.clone(), (wait.clone(), false));
        } else if !self.outlets.is_alone()
            && let Some(first) = self.waits.of(channel)
        {
            // What the first one waits for, those after it do not know either.
            wait = Wait { socket, ..first.clone() };
        }
        if !wait.tickets.is_empty() {
            ledger.summary.waited += 1;
            self.waits.push(wait);
        } else {
            self.activate(channel, entry, socket, ledger);
        }
    }
}

//! What happens on a channel, decided as the server decides it: each function takes the channel's
//! lock, changes the facts, and does what follows before it lets go.

use std::sync::Arc;

use registry::{Change, Member};

use crate::Channel;
use crate::ledger::Ledger;
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
        let Some(Socket { shard, subscriptions }) = local.sockets.get_mut(&socket) else { return };
        let (shard, member) = (*shard, member.cloned());
        subscriptions.insert(channel.clone(), Subscription { member: member.clone(), told: None });
        self.registry.update(&self.app, channel, |entry| {
            let transitions = entry.apply(shard, Change::Subscribe { member: member.as_ref() });
            local.announce(channel, entry, &transitions);
            let tickets = local.tell_subscribed(channel, entry, &transitions.own);
            let mut wait =
                Wait { channel: channel.clone(), socket, tickets, until: now + PATIENCE };
            if transitions.own.occupancy.is_some() {
                local.interest.insert(channel.clone(), (wait.clone(), false));
            } else if !local.outlets.is_alone()
                && let Some(first) = local.waits.of(channel)
            {
                // What the first one waits for, those after it do not know either.
                wait = Wait { socket, ..first.clone() };
            }
            if !wait.tickets.is_empty() {
                ledger.summary.waited += 1;
                local.waits.push(wait);
            } else {
                local.activate(channel, entry, socket, ledger);
            }
        });
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
    pub(crate) fn unsubscribe(&mut self, socket: SocketNumber, channel: &Channel) {
        let local = &mut self.local;
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

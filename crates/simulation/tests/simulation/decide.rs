//! What happens on a channel, decided as the server decides it: each function takes the channel's
//! lock, changes the facts, and does what follows before it lets go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::Incarnation;
use registry::{Change, Entry, Member, Occupancy, Place, Transitions};
use replication::Outlets;

use crate::Channel;
use crate::ledger::Ledger;
use crate::node::Node;
use crate::socket::{Frame, Socket, SocketNumber, Subscription, Told};
use crate::waits::{PATIENCE, Wait, Waits};

/// What a decision may touch while it holds the channel's lock.
pub(crate) struct Local {
    pub(crate) me: Incarnation,
    pub(crate) sockets: BTreeMap<SocketNumber, Socket>,
    pub(crate) outlets: Outlets,
    pub(crate) waits: Waits,
    /// Channels whose number of subscriptions is to be told.
    pub(crate) counts: BTreeSet<Channel>,
    /// The driver has to look what there is to send.
    pub(crate) woken: bool,
    /// Which channels were said to be occupied.
    occupied: BTreeSet<Channel>,
    /// The last first subscription of each channel, and whether it was told too early.
    interest: BTreeMap<Channel, (Wait, bool)>,
}

impl Local {
    pub(crate) fn new(me: Incarnation) -> Self {
        Local {
            me,
            sockets: BTreeMap::new(),
            outlets: Outlets::default(),
            waits: Waits::default(),
            counts: BTreeSet::new(),
            woken: true,
            occupied: BTreeSet::new(),
            interest: BTreeMap::new(),
        }
    }

    /// What follows for our own subscribers from a change.
    pub(crate) fn announce(&mut self, channel: &Channel, entry: &Entry, transitions: &Transitions) {
        for change in &transitions.members {
            self.each_told(channel, entry, |_, told| told.change(change));
        }
        let news = match transitions.occupancy {
            Some(Occupancy::Occupied) => self.occupied.insert(channel.clone()),
            Some(Occupancy::Vacated) => self.occupied.remove(channel),
            None => true,
        };
        assert!(news, "{channel} becomes what it is: {transitions:?}");
        assert_eq!(self.occupied.contains(channel), entry.is_occupied());
    }

    pub(crate) fn deliver(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        frame: &Frame,
        except: Option<(u64, u64)>,
        ledger: &mut Ledger,
    ) {
        let me = self.me;
        self.each_told(channel, entry, |number, told| {
            if except == Some((me.0, number)) {
                told.sent(frame);
            } else {
                told.hear(me, frame, ledger);
            }
        });
    }

    fn each_told(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        mut show: impl FnMut(SocketNumber, &mut Told),
    ) {
        for (number, socket) in &mut self.sockets {
            let Some(subscription) = socket.subscriptions.get_mut(channel) else { continue };
            if let Some(told) = &mut subscription.told {
                assert!(entry.subscribers().at(Place::Shard(socket.shard)) > 0);
                show(*number, told);
            }
        }
    }

    fn activate(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        socket: SocketNumber,
        ledger: &mut Ledger,
    ) {
        let early = |(wait, early): &(Wait, bool)| *early && !wait.is_known();
        let excused = self.interest.get(channel).is_some_and(early);
        let me = self.me;
        if let Some(subscription) = self.subscription(socket, channel) {
            subscription.succeed(me, channel, entry, excused, ledger);
        }
    }

    pub(crate) fn subscription(
        &mut self,
        socket: SocketNumber,
        channel: &Channel,
    ) -> Option<&mut Subscription> {
        self.sockets.get_mut(&socket)?.subscriptions.get_mut(channel)
    }
}

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
        subscriptions
            .insert(channel.clone(), Subscription { member: member.clone(), told: None });
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

//! What clients and backends ask of a node, and what its shards would do with what it delivers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channels::registry::{Member, NodeId};
use channels::replication::Ticket;
use channels::{
    ConnectionId, ConnectionRef, Delivery, Publish, Subscribed, Subscription as Ask, Topic, Welcome,
};
use protocol::socket_id::SocketId;

use crate::Channel;
use crate::ledger::Ledger;
use crate::load::limit;
use crate::node::Node;
use crate::outside::INTERESTS;
use crate::socket::{Frame, Heard, SocketNumber, Subscription};

/// The most that a first subscriber waits for peers.
const PEER_TIMEOUT: Duration = Duration::from_millis(50);

impl Node {
    pub(crate) fn topic(&self, channel: &Channel) -> Topic {
        Topic::subscribers(&self.app, channel.clone())
    }

    pub(crate) fn who(&self, socket: SocketNumber) -> ConnectionRef {
        let id = ConnectionId { index: socket as u32, generation: 0 };
        ConnectionRef { shard: self.sockets[&socket].shard, id }
    }

    /// A client subscribes, perhaps to what it is subscribed to already.
    pub(crate) fn subscribe(
        &mut self,
        socket: SocketNumber,
        channel: &Channel,
        member: Option<&Arc<Member>>,
        ledger: &mut Ledger,
    ) {
        let (topic, who) = (self.topic(channel), self.who(socket));
        let subscriptions = &mut self.sockets.get_mut(&socket).unwrap().subscriptions;
        if subscriptions.contains_key(channel) {
            self.channels.subscribe_again(&topic, INTERESTS, who);
            return self.carry_out(ledger);
        }
        subscriptions.insert(channel.clone(), Subscription { member: member.cloned(), told: None });
        let applicants = self.channels.sizes().place_applicants;
        let ask = Ask { who, member, max_members: limit(channel), asked: true };
        if self.channels.subscribe(&topic, INTERESTS, ask) == Subscribed::Full {
            self.sockets.get_mut(&socket).unwrap().subscriptions.remove(channel);
        }
        self.note_interest(channel);
        let claimed = self.channels.sizes().place_applicants > applicants;
        ledger.summary.claimed += u64::from(claimed);
        self.carry_out(ledger);
        let waits = self.subscription(socket, channel).is_some_and(|asked| asked.told.is_none());
        ledger.summary.waited += u64::from(waits && !claimed);
    }

    /// A client unsubscribes, or is gone.
    pub(crate) fn unsubscribe(
        &mut self,
        socket: SocketNumber,
        channel: &Channel,
        ledger: &mut Ledger,
    ) {
        let (topic, who) = (self.topic(channel), self.who(socket));
        let subscriptions = &mut self.sockets.get_mut(&socket).unwrap().subscriptions;
        let Some(Subscription { member, .. }) = subscriptions.remove(channel) else { return };
        self.channels.unsubscribe(&topic, INTERESTS, who, member.as_deref());
        self.note_interest(channel);
        self.carry_out(ledger);
    }

    /// Publishes an event; a client's goes to everybody but its own socket.
    pub(crate) fn publish(
        &mut self,
        channel: &Channel,
        sender: Option<(SocketNumber, Box<str>)>,
        ledger: &mut Ledger,
    ) {
        let number = ledger.publish(self.me(), channel);
        let except = sender.as_ref().map(|(socket, _)| SocketId(self.me().0, *socket));
        let user_id = sender.map(|(_, user_id)| user_id);
        let frame = Frame { publisher: self.me(), number, user_id }.encode().into();
        let (app, frame) = (&self.app, &frame);
        self.channels.publish(Publish { app, channel, frame, except, kept: None });
        self.carry_out(ledger);
    }

    pub(crate) fn subscription(
        &mut self,
        socket: SocketNumber,
        channel: &Channel,
    ) -> Option<&mut Subscription> {
        self.sockets.get_mut(&socket)?.subscriptions.get_mut(channel)
    }

    /// Carries out what was delivered to the shards, in order.
    pub(crate) fn carry_out(&mut self, ledger: &mut Ledger) {
        loop {
            let delivery = self.outside().deliveries.borrow_mut().pop_front();
            let Some((shard, delivery)) = delivery else { return };
            match delivery {
                Delivery::Frame { topic, frame, except } => {
                    let heard = Heard::parse(&frame);
                    let me = self.me();
                    for (number, socket) in
                        self.sockets.iter_mut().filter(|(_, s)| s.shard == shard)
                    {
                        let subscription = socket.subscriptions.get_mut(&topic.channel);
                        let Some(told) = subscription.and_then(|s| s.told.as_mut()) else {
                            continue;
                        };
                        let is_sender = except == Some(SocketId(me.0, *number));
                        told.take(me, &heard, is_sender, ledger);
                    }
                }
                Delivery::Welcome { to, topic, welcome } => {
                    let Welcome::Succeeded { roster, .. } = welcome else {
                        panic!("every client asked")
                    };
                    let roster = roster.unwrap_or_default();
                    let excused = self.is_excused(&topic.channel);
                    let (me, socket) = (self.me(), SocketNumber::from(to.index));
                    if let Some(subscription) = self.subscription(socket, &topic.channel) {
                        subscription.succeed(me, &topic.channel, &roster, excused, ledger);
                    }
                }
                Delivery::Refuse { to, topic, .. } => {
                    if self.channels.take_refusal(&topic, ConnectionRef { shard, id: to }) {
                        let socket = self.sockets.get_mut(&SocketNumber::from(to.index));
                        let subscriptions = &mut socket.expect("it has not left").subscriptions;
                        subscriptions.remove(&topic.channel).expect("it is in the table");
                    }
                }
                Delivery::Watched { .. } | Delivery::Presence { .. } | Delivery::Close { .. } => {
                    panic!("nobody watches or closes")
                }
            }
        }
    }

    /// Whether a client that is told now may miss something: not all know that there are subscribers
    /// here, and the first of them has waited for as long as anybody waits.
    fn is_excused(&self, channel: &Channel) -> bool {
        let Some((since, told)) = self.interest.get(channel) else { return false };
        *since + PEER_TIMEOUT <= self.outside().now.get() && !told.iter().all(Ticket::is_settled)
    }

    /// Notes since when there are subscribers here.
    fn note_interest(&mut self, channel: &Channel) {
        let holds = self.channels.registry().read(&self.app, channel, |_, found| {
            found.is_some_and(|found| found.entry.subscribers().of_node(NodeId::LOCAL) > 0)
        });
        if !holds {
            self.interest.remove(channel);
        } else if !self.interest.contains_key(channel) {
            let told = self.channels.streams().told_so_far();
            self.interest.insert(channel.clone(), (self.outside().now.get(), told));
        }
    }

    /// The same of every channel, after something that was not about one.
    pub(crate) fn note_interests(&mut self, channels: &[Channel]) {
        channels.iter().for_each(|channel| self.note_interest(channel));
    }

    /// An entry that this version has no word for.
    pub(crate) fn send_news(&self, news: &'static [u8]) {
        if self.channels.streams().tell(&Bytes::from_static(news)) {
            self.wake();
        }
    }
}

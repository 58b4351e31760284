//! What a node's shards do: they carry out deliveries, in their order, and decide nothing.

use std::collections::BTreeSet;

use channels::{Audience, ConnectionId, Delivery, LastEvent, Topic, Welcome};
use cluster::Now;
use protocol::close::Close;

use crate::Channel;
use crate::frame::Said;
use crate::kept::check_last;
use crate::ledger::Ledger;
use crate::load::{is_presence, limit};
use crate::node::Node;
use crate::socket::{Socket, SocketNumber, Subscription};
use simulation::SHARDS;

impl Node {
    /// The shards that were woken empty their inboxes.
    pub(crate) fn serve_shards(&mut self, now: Now, ledger: &mut Ledger) {
        for shard in 0..SHARDS {
            for delivery in self.channels.runtime().inbox(shard) {
                self.carry_out(now, shard, delivery, ledger);
            }
        }
    }

    fn carry_out(&mut self, now: Now, shard: usize, delivery: Delivery, ledger: &mut Ledger) {
        let me = self.me();
        match delivery {
            Delivery::Frame { topic, frame, except } => {
                let said = Said::decode(&frame, &topic.channel);
                for socket in self.sockets.values_mut() {
                    if usize::from(socket.shard.0) != shard || Some(socket.id(me)) == except {
                        continue;
                    }
                    let subscription = socket.subscriptions.get_mut(&topic.channel);
                    if let Some(told) = subscription.and_then(|one| one.told.as_mut()) {
                        told.hear(me, &topic.channel, &said, ledger);
                    }
                }
            }
            Delivery::Welcome { topic, welcome, .. } if topic.audience == Audience::Watchers => {
                assert!(matches!(welcome, Welcome::Silent), "who watches is told by itself");
            }
            Delivery::Welcome { to, topic, welcome } => {
                self.welcome(now, to, &topic.channel, welcome, ledger);
            }
            Delivery::Refuse { to, topic, limit } => self.refuse(to, &topic, limit),
            Delivery::Watched { to, user_id, online } => self.watched(to, &user_id, online),
            Delivery::Presence { topic, user_id, online } => {
                self.presence(shard, &topic, &user_id, online);
            }
            Delivery::Close { topic, close } => {
                assert_eq!(close.code, Close::terminated().code);
                self.close(shard, &topic);
            }
        }
    }

    fn welcome(
        &mut self,
        now: Now,
        to: ConnectionId,
        channel: &Channel,
        welcome: Welcome,
        ledger: &mut Ledger,
    ) {
        let me = self.me();
        let excused = self.told.is_early(now, channel);
        let (roster, last) = match welcome {
            Welcome::Succeeded { roster, last } => (roster, last),
            Welcome::Silent => (None, LastEvent::NotKept),
        };
        let last = check_last(me, channel, &last, ledger);
        assert_eq!(roster.is_some(), is_presence(channel), "presence channels have a roster");
        let ids: BTreeSet<_> =
            roster.into_iter().flatten().map(|member| member.id.clone()).collect();
        let subscription = self.subscription(to.index, channel).expect("who is gone is not told");
        subscription.succeed(me, channel, ids, excused, ledger);
        if let Some((event, told)) = last.zip(subscription.told.as_mut()) {
            told.had(&event);
        }
    }

    fn refuse(&mut self, to: ConnectionId, topic: &Topic, most: usize) {
        assert_eq!(Some(most), limit(&topic.channel));
        let Some(socket) = self.sockets.get_mut(&to.index) else { return };
        if self.channels.take_refusal(topic, socket.who()) {
            let refused = socket.subscriptions.remove(&topic.channel);
            assert!(refused.is_some_and(|refused| refused.told.is_none()), "it was not welcome");
        }
    }

    pub(crate) fn subscription(
        &mut self,
        socket: SocketNumber,
        channel: &Channel,
    ) -> Option<&mut Subscription> {
        self.sockets.get_mut(&socket)?.subscriptions.get_mut(channel)
    }

    /// The subscriptions to a channel, of those who have a place there.
    pub(crate) fn placed(
        &self,
        channel: &Channel,
    ) -> impl Iterator<Item = (&Socket, &Subscription)> {
        let topic = self.topic(channel);
        self.sockets.values().filter_map(move |socket| {
            let subscription = socket.subscriptions.get(&topic.channel)?;
            let has_place = !self.channels.has_no_place(&topic, socket.who());
            has_place.then_some((socket, subscription))
        })
    }
}

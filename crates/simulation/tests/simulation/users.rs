//! Users as others watch them, and as a backend has them closed.

use channels::registry::NodeId;
use channels::{ConnectionId, Topic};
use cluster::Now;
use protocol::channel::user_id;
use protocol::close::Close;

use crate::Channel;
use crate::ledger::Ledger;
use crate::load::{Names, is_user};
use crate::node::Node;
use crate::socket::SocketNumber;
use crate::world::World;
use simulation::{APP, INTERESTS};

impl Node {
    /// A client watches a user.
    pub(crate) fn watch(
        &mut self,
        now: Now,
        names: &Names,
        number: SocketNumber,
        channel: &Channel,
        ledger: &mut Ledger,
    ) {
        let socket = self.sockets.get_mut(&number).unwrap();
        if socket.watches.contains_key(channel) {
            return;
        }
        socket.watches.insert(channel.clone(), None);
        let (who, topic) = (socket.who(), Topic::watchers(&self.app, channel.clone()));
        self.channels.watch(&topic, who, user_id(channel).unwrap().into());
        self.settle(now, names, ledger);
        ledger.summary.watched += 1;
        assert!(self.sockets[&number].watches[channel].is_some(), "who watches is told at once");
    }

    /// A client watches a user no longer.
    pub(crate) fn unwatch(
        &mut self,
        now: Now,
        names: &Names,
        number: SocketNumber,
        channel: &Channel,
        ledger: &mut Ledger,
    ) {
        let socket = self.sockets.get_mut(&number).unwrap();
        if socket.watches.remove(channel).is_some() {
            let (who, topic) = (socket.who(), Topic::watchers(&self.app, channel.clone()));
            self.channels.unsubscribe(&topic, INTERESTS, who, None);
            self.settle(now, names, ledger);
        }
    }

    /// The state of a watched user at sign-in.
    pub(crate) fn watched(&mut self, to: ConnectionId, user_id: &str, online: bool) {
        let channel: Channel = protocol::channel::user_channel(user_id).into();
        let socket = self.sockets.get_mut(&to.index).expect("who is gone is not told");
        let before = socket.watches.insert(channel, Some(online));
        assert_eq!(before, Some(None), "who watches is told once");
    }

    /// A watched user comes or goes.
    pub(crate) fn presence(&mut self, shard: usize, topic: &Topic, id: &str, online: bool) {
        assert_eq!(user_id(&topic.channel), Some(id), "watchers hear of their user");
        for socket in self.sockets.values_mut().filter(|one| usize::from(one.shard.0) == shard) {
            if let Some(Some(is_online)) = socket.watches.get_mut(&topic.channel) {
                assert_ne!(*is_online, online, "{id} becomes what it is");
                *is_online = online;
            }
        }
    }

    /// A backend has all connections of a user closed.
    pub(crate) fn terminate(
        &mut self,
        now: Now,
        names: &Names,
        channel: &Channel,
        ledger: &mut Ledger,
    ) {
        ledger.terminate(self.me(), channel);
        self.channels.close_subscribers(APP, channel, &Close::terminated());
        self.settle(now, names, ledger);
    }

    /// Everybody at a shard who is subscribed is closed.
    pub(crate) fn close(&mut self, shard: usize, topic: &Topic) {
        let at_shard = self.sockets.values().filter(|one| usize::from(one.shard.0) == shard);
        let subscribed = at_shard.filter(|one| one.subscriptions.contains_key(&topic.channel));
        self.closing.extend(subscribed.map(|socket| socket.number));
    }

    /// Those who are to be closed go.
    pub(crate) fn close_sockets(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        for number in std::mem::take(&mut self.closing) {
            if self.sockets.contains_key(&number) {
                ledger.summary.terminated += 1;
                self.disconnect(now, names, number, ledger);
            }
        }
    }

    /// Whether somebody here watches a user.
    pub(crate) fn watches(&self, channel: &Channel) -> bool {
        self.sockets.values().any(|socket| socket.watches.contains_key(channel))
    }
}

impl World {
    /// In the end watchers know the truth, and nobody is left who was to be closed.
    pub(crate) fn check_users(&self, live: &[&Node]) {
        for channel in self.names.channels().filter(|channel| is_user(channel)) {
            let is_online = live.iter().any(|of| of.placed(channel).next().is_some());
            for node in live {
                for socket in node.sockets.values() {
                    if let Some(known) = socket.watches.get(channel) {
                        assert_eq!(*known, Some(is_online), "a watcher at {}", node.me());
                    }
                    let told = socket.subscriptions.get(channel).and_then(|one| one.told.as_ref());
                    for (by, at, _) in self.ledger.terminations(channel) {
                        let missed = told.is_some_and(|told| {
                            told.would_have_heard(node.me(), by, at, &self.ledger)
                        });
                        assert!(!missed, "{by} had closed a client of {} at {channel}", node.me());
                    }
                }
                let watched_here = node.channels.registry().read(APP, channel, |_, found| {
                    found.is_some_and(|found| !found.entry.watchers().is_empty())
                });
                assert_eq!(watched_here, node.watches(channel), "{:?}", NodeId::LOCAL);
            }
        }
    }
}

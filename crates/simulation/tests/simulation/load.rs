//! What clients and backends do all the time.

use std::sync::Arc;

use channels::registry::{Member, ShardId};

use crate::Channel;
use crate::ledger::Ledger;
use crate::node::Node;
use crate::random::Random;
use crate::socket::{Socket, SocketNumber};

/// The most sockets that a node has.
const SOCKETS: usize = 5;
/// So many users there are; few, so that they meet themselves on other nodes.
const USERS: usize = 8;
const SHARDS: u64 = 2;

/// So much information there is about the user that makes snapshots take a while: as much as a
/// snapshot sends before it waits for an acknowledgement.
const BALLAST: usize = 1 << 20;
/// The socket of that user.
const BALLAST_SOCKET: SocketNumber = 0;

/// Who the users are and what the channels are called.
pub(crate) struct Names {
    /// Channels where something happens.
    pub(crate) busy: Vec<Channel>,
    /// The first and the last channel of a snapshot, if it is to take a while: what happens to the
    /// others meanwhile comes before, or after, what the snapshot says of them.
    pub(crate) ballast: Option<[Channel; 2]>,
    members: Vec<Arc<Member>>,
}

impl Names {
    pub(crate) fn new(ballast: bool) -> Self {
        let busy = ["presence-a", "presence-b", "c", "d"].map(Channel::from).into();
        let ballast = ballast.then(|| ["presence-first", "presence-last"].map(Channel::from));
        let members = (0..USERS).map(|n| member(&format!("user-{n}"), None)).collect();
        Names { busy, ballast, members }
    }

    /// Every channel.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.busy.iter().chain(self.ballast.iter().flatten())
    }
}

fn member(id: &str, info: Option<usize>) -> Arc<Member> {
    let info_json = info.map(|length| format!("\"{}\"", "7".repeat(length)).into());
    Arc::new(Member { id: id.into(), id_json: format!("\"{id}\"").into(), info_json })
}

pub(crate) fn is_presence(channel: &Channel) -> bool {
    channel.starts_with("presence-")
}

/// How many members a channel may have.
pub(crate) fn limit(channel: &Channel) -> Option<usize> {
    match &**channel {
        "presence-a" => Some(3),
        "presence-b" => Some(6),
        _ => None,
    }
}

impl Node {
    /// The node begins to serve.
    pub(crate) fn open(&mut self, names: &Names, ledger: &mut Ledger) {
        self.serves = true;
        self.cluster.set_ready(true);
        self.wake();
        self.channels.set_serving(true);
        let Some(channels) = &names.ballast else { return };
        let member = member("ballast", Some(BALLAST));
        let socket = Socket { shard: ShardId(0), subscriptions: Default::default() };
        self.sockets.insert(BALLAST_SOCKET, socket);
        for channel in channels {
            self.subscribe(BALLAST_SOCKET, channel, Some(&member), ledger);
        }
    }

    /// Something that a client or a backend does.
    pub(crate) fn do_something(&mut self, names: &Names, random: &mut Random, ledger: &mut Ledger) {
        let channel = random.pick(&names.busy);
        let member = random.pick(&names.members);
        let numbers = self.sockets.keys().copied().filter(|number| *number > BALLAST_SOCKET);
        let numbers: Vec<SocketNumber> = numbers.collect();
        if numbers.is_empty() || (numbers.len() < SOCKETS && random.one_in(10)) {
            self.last_socket += 1;
            let shard = ShardId(random.between(0, SHARDS - 1) as u16);
            let socket = Socket { shard, subscriptions: Default::default() };
            self.sockets.insert(self.last_socket, socket);
            return;
        }
        let socket = random.pick(&numbers);
        match random.between(0, 19) {
            0..6 => {
                let member = Some(&member).filter(|_| is_presence(&channel));
                self.subscribe(socket, &channel, member, ledger);
            }
            6..11 => self.unsubscribe(socket, &channel, ledger),
            11 => self.disconnect(socket, ledger),
            12..17 => self.publish(&channel, None, ledger),
            _ => {
                let has_place =
                    !self.channels.has_no_place(&self.topic(&channel), self.who(socket));
                let subscription = self.subscription(socket, &channel).filter(|_| has_place);
                if let Some(member) = subscription.and_then(|s| s.member.clone()) {
                    self.publish(&channel, Some((socket, member.id.clone())), ledger);
                }
            }
        }
    }

    fn disconnect(&mut self, socket: SocketNumber, ledger: &mut Ledger) {
        let subscribed = self.sockets[&socket].subscriptions.keys().cloned();
        let channels: Vec<Channel> = subscribed.collect();
        channels.iter().for_each(|channel| self.unsubscribe(socket, channel, ledger));
        self.sockets.remove(&socket);
    }

    /// Every client goes.
    pub(crate) fn disconnect_all(&mut self, ledger: &mut Ledger) {
        let numbers: Vec<SocketNumber> = self.sockets.keys().copied().collect();
        numbers.into_iter().for_each(|socket| self.disconnect(socket, ledger));
    }
}

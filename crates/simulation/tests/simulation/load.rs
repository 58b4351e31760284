//! What clients and backends do all the time.

use std::sync::Arc;

use channels::registry::{Member, ShardId};
use cluster::Now;

use protocol::channel::USER_PREFIX;
use testkit::simulated::Random;

use crate::Channel;
use crate::ledger::Ledger;
use crate::node::Node;
use crate::socket::{Socket, SocketNumber};
use crate::world::FAULTS;
use simulation::SHARDS;

/// Nobody connects after this time, so that whoever waits is answered before it is quiet.
const LAST_COMES: Now = Now::from_millis(11_500);
/// The most sockets that a node has.
const SOCKETS: usize = 5;
/// So many users there are; few, so that they meet themselves on other nodes.
const USERS: usize = 8;

/// So much information there is about the user that makes snapshots take a while: as much as a
/// snapshot sends before it waits for an acknowledgement.
const BALLAST: usize = 1 << 20;
/// The socket of that user.
pub(crate) const BALLAST_SOCKET: SocketNumber = 0;

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
        let busy = ["presence-a", "presence-b", "c", "d", "cache-e", "#server-to-user-user-0"]
            .map(Channel::from)
            .into();
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

/// Whether it is the channel of a user's connections, who are subscribed by signing in.
pub(crate) fn is_user(channel: &Channel) -> bool {
    channel.starts_with(USER_PREFIX)
}

/// Whether a channel keeps its last event.
pub(crate) fn is_cache(channel: &Channel) -> bool {
    channel.starts_with("cache-")
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
    pub(crate) fn open(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        self.serves = true;
        self.cluster.set_ready(true);
        self.woken = true;
        self.channels.set_serving(true);
        self.settle(now, names, ledger);
        let Some(channels) = &names.ballast else { return };
        let member = member("ballast", Some(BALLAST));
        self.sockets.insert(BALLAST_SOCKET, Socket::new(BALLAST_SOCKET, ShardId(0)));
        for channel in channels {
            self.subscribe(now, names, BALLAST_SOCKET, channel, Some(&member), ledger);
        }
    }

    /// Something that a client or a backend does.
    pub(crate) fn do_something(
        &mut self,
        now: Now,
        names: &Names,
        random: &mut Random,
        ledger: &mut Ledger,
    ) {
        let channel = random.pick(&names.busy);
        let member = random.pick(&names.members);
        let numbers = self.sockets.keys().copied().filter(|number| *number > BALLAST_SOCKET);
        let numbers: Vec<SocketNumber> = numbers.collect();
        if numbers.is_empty() || (numbers.len() < SOCKETS && random.one_in(10)) {
            let shard = ShardId(random.between(0, SHARDS as u64 - 1) as u16);
            if now < LAST_COMES && self.waiting.len() < 2 {
                self.connect(now, names, shard, ledger);
            }
            return;
        }
        let socket = random.pick(&numbers);
        if is_user(&channel) && random.one_in(3) {
            return match random.between(0, 39) {
                // What follows from it elsewhere has to be over when it is quiet.
                0 if now.as_millis() < FAULTS.into() => {
                    self.terminate(now, names, &channel, ledger)
                }
                0..20 => self.watch(now, names, socket, &channel, ledger),
                _ => self.unwatch(now, names, socket, &channel, ledger),
            };
        }
        match random.between(0, 19) {
            0..6 => {
                let member = Some(&member).filter(|_| is_presence(&channel));
                self.subscribe(now, names, socket, &channel, member, ledger);
            }
            6..11 => self.unsubscribe(now, names, socket, &channel, ledger),
            11 => self.disconnect(now, names, socket, ledger),
            12..17 => self.publish_within_rate(now, names, &channel, ledger),
            _ => {
                let mut placed = self.placed(&channel).filter(|(at, _)| at.number == socket);
                let member =
                    placed.next().and_then(|(_, subscription)| subscription.member.clone());
                drop(placed);
                if let Some(member) = member {
                    let sender = Some((socket, member.id.clone()));
                    self.publish(now, names, &channel, sender, ledger);
                }
            }
        }
    }
}

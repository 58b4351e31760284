//! When it has been quiet, every node knows the truth, which is what the live sockets hold.

use std::collections::BTreeSet;

use channels::registry::NodeId;
use cluster::{Incarnation, PeerInfo};

use crate::Channel;
use crate::load::{is_presence, limit};
use crate::node::{APP, Node};
use crate::socket::{SocketNumber, ids};
use crate::world::World;

/// So many heartbeats may be on their way at a time.
const HEARTBEATS: usize = 8;

impl Node {
    /// How many of its sockets are subscribed to a channel.
    fn subscriptions(&self, channel: &Channel) -> u32 {
        let sockets = self.sockets.values();
        sockets.filter(|socket| socket.subscriptions.contains_key(channel)).count() as u32
    }

    /// For whom they speak.
    pub(crate) fn members(&self, channel: &Channel) -> BTreeSet<Box<str>> {
        let has_place = |number: &SocketNumber| {
            !self.channels.has_no_place(&self.topic(channel), self.who(*number))
        };
        let sockets = self.sockets.iter().filter(|(number, _)| has_place(number));
        let subscriptions = sockets.filter_map(|(_, socket)| socket.subscriptions.get(channel));
        subscriptions.filter_map(|s| s.member.as_ref()).map(|member| member.id.clone()).collect()
    }

    fn incarnation_of(&self, id: NodeId) -> Incarnation {
        let mut peers = self.peers.all();
        let of =
            |(other, info, _): (NodeId, &PeerInfo, bool)| (other == id).then_some(info.incarnation);
        if id == NodeId::LOCAL { self.me() } else { peers.find_map(of).expect("it is up") }
    }
}

impl World {
    /// Checks that everybody knows everything, and that nobody waits for anything.
    pub(crate) fn check_end(&self) {
        let live: Vec<&Node> = self.places.iter().filter_map(|place| place.node.as_ref()).collect();
        for node in &live {
            self.check_streams(node, live.len() - 1);
            let held = |channel: &&Channel| live.iter().any(|of| of.subscriptions(channel) > 0);
            let occupied = self.names.channels().filter(held).count();
            assert_eq!(
                node.channels.registry().len(),
                occupied,
                "{} has entries of others",
                node.me()
            );
            for channel in self.names.channels() {
                check_entry(node, channel, &live);
                self.check_sockets(node, channel, &live);
            }
        }
        if self.ledger.strict {
            let is_there = |channel: &Channel, member: Option<&str>| {
                live.iter().any(|of| match member {
                    None => of.subscriptions(channel) > 0,
                    Some(member) => of.members(channel).contains(member),
                })
            };
            self.ledger.statements.check_end(is_there);
        }
    }

    /// Checks that no channel has more members than it may, as long as everybody answers in time.
    pub(crate) fn check_limits(&mut self) {
        if !self.ledger.strict || self.ledger.summary.unanswered > 0 {
            return;
        }
        for channel in &self.names.busy {
            let Some(limit) = limit(channel) else { continue };
            let live = self.places.iter().filter_map(|place| place.node.as_ref());
            let members: BTreeSet<_> = live.flat_map(|node| node.members(channel)).collect();
            assert!(members.len() <= limit, "{} of {limit} members of {channel}", members.len());
            self.ledger.summary.full += u64::from(members.len() == limit);
        }
    }

    fn check_streams(&self, node: &Node, others: usize) {
        let me = node.me();
        assert_eq!(node.peers.len(), others, "{me} sees all and only the living");
        assert!(node.peers.is_whole(), "{me} was told everything");
        assert!(node.peers.has_told(), "{me} has told everything");
        let sizes = node.channels.sizes();
        assert_eq!(sizes.unacknowledged_channels, 0, "at {me} nobody waits");
        assert_eq!(sizes.place_applicants, 0, "at {me} nobody waits for a place");
        for peer in node.cluster.peers(self.time()) {
            // For how long it has served is told with each heartbeat at first: the last of those may
            // be on their way.
            assert!(peer.unacked_entries <= HEARTBEATS && !peer.broken, "{me}: {peer:?}");
        }
    }

    fn check_sockets(&self, node: &Node, channel: &Channel, live: &[&Node]) {
        let members: BTreeSet<_> = live.iter().flat_map(|of| of.members(channel)).collect();
        for socket in node.sockets.values() {
            let Some(subscription) = socket.subscriptions.get(channel) else { continue };
            let told = subscription.told.as_ref().expect("every client was told");
            if is_presence(channel) {
                assert_eq!(told.roster, members, "a client of {} at {channel}", node.me());
            }
            for publisher in live {
                told.check_end(node.me(), channel, publisher.me(), &self.ledger);
            }
        }
    }
}

/// What a node knows of a channel is what all nodes' sockets hold.
fn check_entry(node: &Node, channel: &Channel, live: &[&Node]) {
    node.channels.registry().read(APP, channel, |_, found| {
        let Some(channels::registry::Found { entry, .. }) = found else {
            return assert!(live.iter().all(|of| of.subscriptions(channel) == 0));
        };
        let numbers = node.peers.all().map(|(id, ..)| id).chain([NodeId::LOCAL]);
        for id in numbers {
            let incarnation = node.incarnation_of(id);
            let of = live.iter().find(|of| of.me() == incarnation).expect("only the living");
            let context = format!("{} of {incarnation} at {channel}", node.me());
            assert_eq!(entry.subscribers().of_node(id), of.subscriptions(channel), "{context}");
            let members: BTreeSet<_> =
                entry.roster().of_node(id).map(|member| member.id.clone()).collect();
            assert_eq!(members, of.members(channel), "{context}");
        }
        let total: u32 = live.iter().map(|of| of.subscriptions(channel)).sum();
        assert_eq!(entry.subscribers().total(), u64::from(total), "nobody else holds {channel}");
        let members: BTreeSet<_> = live.iter().flat_map(|of| of.members(channel)).collect();
        assert_eq!(ids(entry), members, "{} at {channel}", node.me());
    });
}

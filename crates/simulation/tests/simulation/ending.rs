//! When it has been quiet, every node knows the truth, which is what the live sockets hold.

use std::collections::BTreeSet;

use channels::registry::NodeId;
use cluster::Incarnation;

use crate::Channel;
use crate::load::{is_presence, limit};
use crate::node::{APP, Node};
use crate::socket::ids;
use crate::world::World;

impl Node {
    /// How many of its sockets are subscribed to a channel.
    fn subscriptions(&self, channel: &Channel) -> u32 {
        let sockets = self.local.sockets.values();
        sockets.filter(|socket| socket.subscriptions.contains_key(channel)).count() as u32
    }

    /// For whom they speak.
    pub(crate) fn members(&self, channel: &Channel) -> BTreeSet<Box<str>> {
        let sockets = self.local.sockets.values();
        let subscriptions = sockets.filter_map(|socket| socket.subscriptions.get(channel));
        subscriptions.filter_map(|s| s.member.as_ref()).map(|member| member.id.clone()).collect()
    }

    fn incarnation_of(&self, id: NodeId) -> Incarnation {
        if id == NodeId::LOCAL { self.me() } else { self.peers[&id].incarnation }
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
            assert_eq!(node.registry.len(), occupied, "{} has entries of others", node.me());
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
        assert!(node.peers.values().all(|peer| peer.whole), "{me} was told everything");
        assert!(node.snapshots.is_idle(), "{me} has told everything");
        assert!(node.local.waits.is_empty(), "at {me} nobody waits");
        assert!(node.local.places.is_empty(), "at {me} nobody waits for a place");
        let counts_told = node.local.counts.is_empty() || node.peers.is_empty();
        assert!(counts_told, "{me} has told its counts");
        for peer in node.cluster.peers(self.time()) {
            assert_eq!((peer.unacked_entries, peer.broken), (0, false), "{me}: {peer:?}");
        }
    }

    fn check_sockets(&self, node: &Node, channel: &Channel, live: &[&Node]) {
        let members: BTreeSet<_> = live.iter().flat_map(|of| of.members(channel)).collect();
        for socket in node.local.sockets.values() {
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
    node.registry.read(APP, channel, |entry| {
        let Some((_, entry)) = entry else {
            return assert!(live.iter().all(|of| of.subscriptions(channel) == 0));
        };
        let numbers = node.peers.keys().copied().chain([NodeId::LOCAL]);
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

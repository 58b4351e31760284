//! When it has been quiet, every node knows the truth, which is what the live sockets hold.

use std::collections::BTreeSet;

use channels::registry::{Found, Holder, NodeId, ShardId};

use crate::Channel;
use crate::load::{is_presence, is_user, limit};
use crate::node::Node;
use crate::world::World;
use simulation::{APP, SHARDS};

impl Node {
    /// How many of its sockets are subscribed to a channel.
    fn subscriptions(&self, channel: &Channel) -> u32 {
        self.placed(channel).count() as u32
    }

    /// For whom they speak.
    pub(crate) fn members(&self, channel: &Channel) -> BTreeSet<Box<str>> {
        let members = self.placed(channel).filter_map(|(_, one)| one.member.as_ref());
        members.map(|member| member.id.clone()).collect()
    }
}

impl World {
    /// Checks that everybody knows everything, and that nobody waits for anything.
    pub(crate) fn check_end(&self) {
        let live: Vec<&Node> = self.places.iter().filter_map(|place| place.node.as_ref()).collect();
        for node in &live {
            self.check_streams(node, live.len() - 1);
            let held = |channel: &&Channel| {
                node.watches(channel) || live.iter().any(|of| of.subscriptions(channel) > 0)
            };
            let occupied = self.names.channels().filter(held).count();
            let entries = node.channels.registry().len();
            assert_eq!(entries, occupied, "{} has entries of others", node.me());
            self.check_notes(node, &live);
            for channel in self.names.channels() {
                check_entry(node, channel, &live);
                self.check_sockets(node, channel, &live);
            }
        }
        self.check_kept(&live);
        self.check_users(&live);
        self.check_seats_end(&live);
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

    /// Claims to places that not all peers answered in time.
    pub(crate) fn unanswered(&self) -> u64 {
        let live = self.places.iter().filter_map(|place| place.node.as_ref());
        live.map(|node| node.channels.sizes().unanswered_claims).sum()
    }

    /// Checks that no channel has more members than it may, as long as everybody answers in time.
    pub(crate) fn check_limits(&mut self) {
        if !self.ledger.strict || self.unanswered() > 0 {
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

    /// What a backend was to hear of is what there is.
    fn check_notes(&self, node: &Node, live: &[&Node]) {
        let mut there = 0;
        for channel in self.names.channels().filter(|channel| !is_user(channel)) {
            let members: BTreeSet<_> = live.iter().flat_map(|of| of.members(channel)).collect();
            let is_occupied = live.iter().any(|of| of.subscriptions(channel) > 0);
            assert_eq!(node.occupied.contains(APP, channel, None), is_occupied, "{channel}");
            for id in &members {
                assert!(node.occupied.contains(APP, channel, Some(id)), "{id} in {channel}");
            }
            there += members.len() + usize::from(is_occupied);
        }
        assert_eq!(node.occupied.len(), there, "{} noted who is not there", node.me());
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
            assert_eq!((peer.unacked_entries, peer.broken), (0, false), "{me}: {peer:?}");
        }
    }

    fn check_sockets(&self, node: &Node, channel: &Channel, live: &[&Node]) {
        let members: BTreeSet<_> = live.iter().flat_map(|of| of.members(channel)).collect();
        let count: u32 = live.iter().map(|of| of.subscriptions(channel)).sum();
        for socket in node.sockets.values() {
            let Some(subscription) = socket.subscriptions.get(channel) else { continue };
            let told = subscription.told.as_ref().expect("every client was told");
            if is_presence(channel) {
                assert_eq!(told.roster, members, "a client of {} at {channel}", node.me());
            } else if !is_user(channel) {
                assert_eq!(told.count, Some(count.into()), "at {} in {channel}", node.me());
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
        let Some(Found { entry, .. }) = found else {
            return assert!(live.iter().all(|of| of.subscriptions(channel) == 0));
        };
        let peers = node.peers.all().map(|(id, info, _)| (id, info.incarnation));
        for (id, incarnation) in peers.chain([(NodeId::LOCAL, node.me())]) {
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
        let known: BTreeSet<_> = entry.roster().members().map(|one| one.id.clone()).collect();
        assert_eq!(known, members, "{} at {channel}", node.me());
        for shard in 0..SHARDS {
            let shard = ShardId(shard as u16);
            let of_shard = node.placed(channel).filter(|(socket, _)| socket.shard == shard).count();
            assert_eq!(entry.subscribers().at(Holder::Shard(shard)) as usize, of_shard);
        }
    });
}

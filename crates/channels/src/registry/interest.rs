//! How many of something each place holds: the answer to "which shards here, which nodes
//! elsewhere", and to "how many".

use smallvec::SmallVec;

use crate::registry::{Holder, NodeId, ShardId};

/// Counts by place. Most channels have one or two holders, which need no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    held: SmallVec<[(Holder, u32); 2]>,
}

impl Interest {
    pub(crate) const NONE: Interest = Interest { held: SmallVec::new_const() };

    /// Whether nobody holds anything.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Everything held, over all places.
    pub fn total(&self) -> u64 {
        self.held.iter().map(|&(_, count)| u64::from(count)).sum()
    }

    /// What one place holds.
    pub fn at(&self, place: Holder) -> u32 {
        self.held.iter().find(|(held_by, _)| *held_by == place).map_or(0, |&(_, count)| count)
    }

    /// Everything that one node holds.
    pub fn of_node(&self, node: NodeId) -> u32 {
        let of_node = self.held.iter().filter(|(place, _)| place.node() == node);
        of_node.fold(0, |sum, &(_, count)| sum.saturating_add(count))
    }

    /// The places that hold something, in no particular order.
    pub fn places(&self) -> impl Iterator<Item = Holder> + '_ {
        self.held.iter().map(|&(place, _)| place)
    }

    /// The shards of this node that hold something.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> + '_ {
        self.places().filter_map(|place| match place {
            Holder::Shard(shard) => Some(shard),
            Holder::Node(_) => None,
        })
    }

    /// The other nodes that hold something.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.places().filter_map(|place| match place {
            Holder::Node(node) => Some(node),
            Holder::Shard(_) => None,
        })
    }

    /// One more at `place`.
    pub(crate) fn add(&mut self, place: Holder) {
        self.set(place, self.at(place).saturating_add(1));
    }

    /// One less at `place`; false if there was none.
    pub(crate) fn take(&mut self, place: Holder) -> bool {
        let count = self.at(place);
        if count > 0 {
            self.set(place, count - 1);
        }
        count > 0
    }

    /// `place` holds exactly `count` from now on.
    pub(crate) fn set(&mut self, place: Holder, count: u32) {
        let position = self.held.iter().position(|(held_by, _)| *held_by == place);
        match (position, count) {
            (Some(at), 0) => drop(self.held.swap_remove(at)),
            (Some(at), _) => self.held[at].1 = count,
            (None, 0) => {}
            (None, _) => self.held.push((place, count)),
        }
    }
}

//! One channel of one app: changes go in, transitions come out.

use std::sync::Arc;

use crate::registry::{Holder, Interest, Member, NodeId, Roster, ShardId};

/// What happens to a channel at one of this node's shards.
#[derive(Clone, Copy, Debug)]
pub enum LocalChange<'a> {
    /// One more subscription; on a presence channel it is a member's.
    Subscribe {
        /// The member that the subscription speaks for, on presence channels.
        member: Option<&'a Arc<Member>>,
    },
    /// One subscription less.
    Unsubscribe {
        /// The id of the member that the subscription spoke for.
        user_id: Option<&'a str>,
    },
    /// Somebody at the shard wants to hear when the channel becomes occupied or vacated.
    Watch,
    /// One watcher less.
    Unwatch,
}

/// What another node says that it holds of a channel. It is said as it is, not as a difference:
/// hearing it twice changes nothing.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// It has so many subscriptions.
    Subscriptions(u32),
    /// It has connections of this member.
    Joined(&'a Arc<Member>),
    /// It has no connection of the member with this id any more.
    Left(&'a str),
    /// It has so many subscriptions, connections of these members, and of no others.
    Everything {
        /// The number of subscriptions.
        subscriptions: u32,
        /// The members.
        members: &'a [Arc<Member>],
    },
}

/// The channel's first subscriber came, or its last one left, over all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupancy {
    /// The first subscriber came.
    Occupied,
    /// The last subscriber left.
    Vacated,
}

/// A user's first connection joined, or its last one left, over all nodes (W33).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// The user is a member now.
    Added(Arc<Member>),
    /// The user is no member any more.
    Removed(Arc<Member>),
}

/// What a change did to the union of all nodes' facts, and to this node's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transitions {
    /// Whether the channel became occupied or vacated, over all nodes.
    pub occupancy: Option<Occupancy>,
    /// The members that came or went, over all nodes: one at most, unless a whole node went or told
    /// everything anew.
    pub members: Vec<MemberChange>,
    /// Whether the number of subscriptions over all nodes changed.
    pub counted: bool,
    /// What changed about this node alone.
    pub own: Own,
}

/// What a change did to this node's own facts: its peers have to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Whether this node's first subscriber came, or its last one left.
    pub occupancy: Option<Occupancy>,
    /// The member whose first connection to this node came, or whose last one left.
    pub member: Option<MemberChange>,
}

/// What is rare enough to be kept out of the common entry.
#[derive(Debug, Default)]
struct Extra {
    roster: Roster,
    watchers: Interest,
}

/// Who holds one channel. Most channels are an [`Interest`] and nothing else.
#[derive(Debug, Default)]
pub struct Entry {
    subscribers: Interest,
    extra: Option<Box<Extra>>,
}

static NOBODY: Interest = Interest::NONE;
static NO_MEMBERS: Roster = Roster::NONE;

impl Entry {
    /// Where the subscribers are, and how many.
    pub fn subscribers(&self) -> &Interest {
        &self.subscribers
    }

    /// Where the watchers are.
    pub fn watchers(&self) -> &Interest {
        self.extra.as_ref().map_or(&NOBODY, |extra| &extra.watchers)
    }

    /// The members of a presence channel; empty for any other.
    pub fn roster(&self) -> &Roster {
        self.extra.as_ref().map_or(&NO_MEMBERS, |extra| &extra.roster)
    }

    /// Whether anybody is subscribed.
    pub fn is_occupied(&self) -> bool {
        !self.subscribers.is_empty()
    }

    /// Whether nothing is known of the channel, so that the entry can go.
    pub fn is_empty(&self) -> bool {
        self.subscribers.is_empty() && self.extra.is_none()
    }

    /// Applies a change at one of this node's shards.
    ///
    /// A change that takes away what is not there changes nothing.
    pub fn apply(&mut self, shard: ShardId, change: LocalChange<'_>) -> Transitions {
        let place = Holder::Shard(shard);
        let mut transitions = Transitions::default();
        match change {
            LocalChange::Subscribe { member } => {
                let first = self.subscribers.of_node(NodeId::LOCAL) == 0;
                transitions.own.occupancy = first.then_some(Occupancy::Occupied);
                transitions.occupancy = self.occupancy_after(|e| e.subscribers.add(place));
                transitions.counted = true;
                if let Some(member) = member {
                    let joined = self.extra().roster.join(NodeId::LOCAL, member);
                    transitions.own.member = joined.first_here.map(MemberChange::Added);
                    transitions.members.extend(joined.first_anywhere.map(MemberChange::Added));
                }
            }
            LocalChange::Unsubscribe { user_id } => {
                let mut taken = false;
                transitions.occupancy = self.occupancy_after(|e| taken = e.subscribers.take(place));
                let last = taken && self.subscribers.of_node(NodeId::LOCAL) == 0;
                transitions.own.occupancy = last.then_some(Occupancy::Vacated);
                transitions.counted = taken;
                if let Some(user_id) = user_id {
                    let left = self.extra().roster.leave(NodeId::LOCAL, user_id);
                    transitions.own.member = left.last_here.map(MemberChange::Removed);
                    transitions.members.extend(left.last_anywhere.map(MemberChange::Removed));
                }
            }
            LocalChange::Watch => self.extra().watchers.add(place),
            LocalChange::Unwatch => drop(self.extra().watchers.take(place)),
        }
        self.tidy();
        transitions
    }

    /// Takes in what another node says.
    pub fn apply_fact(&mut self, node: NodeId, fact: Fact<'_>) -> Transitions {
        let mut transitions = Transitions::default();
        let before = self.subscribers.of_node(node);
        match fact {
            Fact::Subscriptions(count) => transitions.occupancy = self.set(node, count),
            Fact::Joined(member) => {
                let joined = self.extra().roster.set(node, member);
                transitions.members.extend(joined.map(MemberChange::Added));
            }
            Fact::Left(user_id) => {
                let left = self.extra().roster.forget(node, user_id);
                transitions.members.extend(left.map(MemberChange::Removed));
            }
            Fact::Everything { subscriptions, members } => {
                transitions.occupancy = self.set(node, subscriptions);
                if !(members.is_empty() && self.extra.is_none()) {
                    let roster = &mut self.extra().roster;
                    let joined = members.iter().filter_map(|m| roster.set(node, m));
                    transitions.members.extend(joined.map(MemberChange::Added));
                    let left = roster.retain(node, members).into_iter();
                    transitions.members.extend(left.map(MemberChange::Removed));
                }
            }
        }
        transitions.counted = self.subscribers.of_node(node) != before;
        self.tidy();
        transitions
    }

    /// Whether a node has subscriptions or members here.
    pub fn is_held_by(&self, node: NodeId) -> bool {
        self.subscribers.of_node(node) > 0 || self.roster().of_node(node).next().is_some()
    }

    /// Another node has so many subscriptions.
    fn set(&mut self, node: NodeId, count: u32) -> Option<Occupancy> {
        self.occupancy_after(|entry| entry.subscribers.set(Holder::Node(node), count))
    }

    /// Whether a change of the subscribers makes the channel occupied or vacated.
    fn occupancy_after(&mut self, change: impl FnOnce(&mut Self)) -> Option<Occupancy> {
        let before = self.is_occupied();
        change(self);
        match (before, self.is_occupied()) {
            (false, true) => Some(Occupancy::Occupied),
            (true, false) => Some(Occupancy::Vacated),
            _ => None,
        }
    }

    fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    fn tidy(&mut self) {
        if self.extra.as_ref().is_some_and(|e| e.roster.is_empty() && e.watchers.is_empty()) {
            self.extra = None;
        }
    }
}

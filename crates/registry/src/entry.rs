//! One channel of one app: changes go in, transitions come out.

use std::sync::Arc;

use crate::{Interest, Member, NodeId, Place, Roster};

/// What happens to a channel at one place.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
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
    /// Somebody at the place wants to hear when the channel becomes occupied or vacated.
    Watch,
    /// One watcher less.
    Unwatch,
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

/// What a change did to the union of all nodes' facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transitions {
    /// Whether the channel became occupied or vacated.
    pub occupancy: Option<Occupancy>,
    /// The members that came or went: one at most, unless a whole node went.
    pub members: Vec<MemberChange>,
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

    /// Applies a change at one place, this node's or a peer's alike.
    ///
    /// A change that takes away what is not there changes nothing.
    pub fn apply(&mut self, place: Place, change: Change<'_>) -> Transitions {
        let mut transitions = Transitions::default();
        match change {
            Change::Subscribe { member } => {
                if self.subscribers.is_empty() {
                    transitions.occupancy = Some(Occupancy::Occupied);
                }
                self.subscribers.add(place);
                let joined = member.and_then(|m| self.extra().roster.join(place.node(), m));
                transitions.members.extend(joined.map(MemberChange::Added));
            }
            Change::Unsubscribe { user_id } => {
                if self.subscribers.take(place) && self.subscribers.is_empty() {
                    transitions.occupancy = Some(Occupancy::Vacated);
                }
                let left = user_id.and_then(|id| self.extra().roster.leave(place.node(), id));
                transitions.members.extend(left.map(MemberChange::Removed));
            }
            Change::Watch => self.extra().watchers.add(place),
            Change::Unwatch => drop(self.extra().watchers.take(place)),
        }
        self.tidy();
        transitions
    }

    /// Forgets everything that another node held.
    pub fn drop_node(&mut self, node: NodeId) -> Transitions {
        let was_occupied = self.is_occupied();
        self.subscribers.set(Place::Node(node), 0);
        let mut transitions = Transitions::default();
        if was_occupied && !self.is_occupied() {
            transitions.occupancy = Some(Occupancy::Vacated);
        }
        if let Some(extra) = &mut self.extra {
            extra.watchers.set(Place::Node(node), 0);
            let removed = extra.roster.drop_node(node).into_iter().map(MemberChange::Removed);
            transitions.members = removed.collect();
        }
        self.tidy();
        transitions
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

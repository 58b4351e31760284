//! The members of one presence channel, over all nodes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::registry::NodeId;

/// A member as its first connection announced it (W29, W32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user id in its string form, which is the member's identity.
    pub id: Box<str>,
    /// The user id as a JSON literal of the type that the client sent, `"8"` or `8`.
    pub id_json: Box<str>,
    /// The user info as JSON text, if there was any.
    pub info_json: Option<Box<str>>,
}

/// Who holds connections of one member: for this node how many, for another one always 1.
#[derive(Debug)]
struct Presence {
    member: Arc<Member>,
    sockets: SmallVec<[(NodeId, u32); 2]>,
}

/// Distinct users by id. They are kept in the order of their ids, so that every node lists the
/// same roster in the same way.
#[derive(Debug, Default)]
pub struct Roster {
    users: BTreeMap<Box<str>, Presence>,
}

impl Roster {
    pub(crate) const NONE: Roster = Roster { users: BTreeMap::new() };

    /// The number of distinct users (W33).
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether the user is a member already, on whichever node.
    pub fn contains(&self, user_id: &str) -> bool {
        self.users.contains_key(user_id)
    }

    /// Whether a node has connections of the user.
    pub fn is_of_node(&self, node: NodeId, user_id: &str) -> bool {
        self.users.get(user_id).is_some_and(|presence| presence.is_held_by(node))
    }

    /// All members, in the order of their ids.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.users.values().map(|presence| &presence.member)
    }

    /// The members that a node has connections of.
    pub fn of_node(&self, node: NodeId) -> impl Iterator<Item = &Arc<Member>> {
        let held = self.users.values().filter(move |presence| presence.is_held_by(node));
        held.map(|presence| &presence.member)
    }

    /// One more connection of a member on `node`.
    pub(crate) fn join(&mut self, node: NodeId, member: &Arc<Member>) -> Joined {
        let first_anywhere = !self.contains(&member.id);
        let presence = self.presence(member);
        let first_here = !presence.is_held_by(node);
        match presence.sockets.iter_mut().find(|(by, _)| *by == node) {
            Some((_, sockets)) => *sockets = sockets.saturating_add(1),
            None => presence.sockets.push((node, 1)),
        }
        Joined {
            first_here: first_here.then(|| presence.member.clone()),
            first_anywhere: first_anywhere.then(|| presence.member.clone()),
        }
    }

    /// One connection less of a member on `node`.
    pub(crate) fn leave(&mut self, node: NodeId, user_id: &str) -> Departed {
        let Some(presence) = self.users.get_mut(user_id) else { return Departed::default() };
        let Some((_, sockets)) = presence.sockets.iter_mut().find(|(by, _)| *by == node) else {
            return Departed::default();
        };
        *sockets -= 1;
        if *sockets > 0 {
            return Departed::default();
        }
        let last_here = Some(presence.member.clone());
        Departed { last_here, last_anywhere: self.forget(node, user_id) }
    }

    /// `node` has connections of a member; the member if that made it one.
    pub(crate) fn set(&mut self, node: NodeId, member: &Arc<Member>) -> Option<Arc<Member>> {
        if self.is_of_node(node, &member.id) {
            None
        } else {
            self.join(node, member).first_anywhere
        }
    }

    /// `node` has no connection of a member any more; the member if nobody else has.
    pub(crate) fn forget(&mut self, node: NodeId, user_id: &str) -> Option<Arc<Member>> {
        let presence = self.users.get_mut(user_id)?;
        presence.sockets.retain(|(by, _)| *by != node);
        if !presence.sockets.is_empty() {
            return None;
        }
        self.users.remove(user_id).map(|presence| presence.member)
    }

    /// `node` has connections of these members at most; those whose last connections it had.
    pub(crate) fn retain(&mut self, node: NodeId, members: &[Arc<Member>]) -> Vec<Arc<Member>> {
        let kept: HashSet<&str> = members.iter().map(|member| &*member.id).collect();
        let gone: Vec<Box<str>> = self
            .of_node(node)
            .filter(|member| !kept.contains(&*member.id))
            .map(|member| member.id.clone())
            .collect();
        gone.iter().filter_map(|user_id| self.forget(node, user_id)).collect()
    }

    fn presence(&mut self, member: &Arc<Member>) -> &mut Presence {
        self.users
            .entry(member.id.clone())
            .or_insert_with(|| Presence { member: member.clone(), sockets: SmallVec::new() })
    }
}

impl Presence {
    fn is_held_by(&self, node: NodeId) -> bool {
        self.sockets.iter().any(|(by, _)| *by == node)
    }
}

/// What one more connection of a member meant.
#[derive(Default)]
pub(crate) struct Joined {
    /// The member, if it is the node's first connection of it.
    pub(crate) first_here: Option<Arc<Member>>,
    /// The member, if no node had a connection of it.
    pub(crate) first_anywhere: Option<Arc<Member>>,
}

/// What one connection less of a member meant.
#[derive(Default)]
pub(crate) struct Departed {
    /// The member, if the node has no other connection of it.
    pub(crate) last_here: Option<Arc<Member>>,
    /// The member, if no node has.
    pub(crate) last_anywhere: Option<Arc<Member>>,
}

//! The members of one presence channel, over all nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::NodeId;

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

/// Who holds connections of one member.
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

    /// All members, in the order of their ids.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.users.values().map(|presence| &presence.member)
    }

    /// The members that a node has connections of, with how many.
    pub fn of_node(&self, node: NodeId) -> impl Iterator<Item = (&Arc<Member>, u32)> {
        self.users.values().filter_map(move |presence| {
            let held = presence.sockets.iter().find(|(by, _)| *by == node);
            held.map(|&(_, sockets)| (&presence.member, sockets))
        })
    }

    /// One more connection of a member on `node`; the member if that made it one.
    pub(crate) fn join(&mut self, node: NodeId, member: &Arc<Member>) -> Option<Arc<Member>> {
        if let Some(presence) = self.users.get_mut(&member.id) {
            match presence.sockets.iter_mut().find(|(by, _)| *by == node) {
                Some((_, sockets)) => *sockets = sockets.saturating_add(1),
                None => presence.sockets.push((node, 1)),
            }
            return None;
        }
        let mut sockets = SmallVec::new();
        sockets.push((node, 1));
        self.users.insert(member.id.clone(), Presence { member: member.clone(), sockets });
        Some(member.clone())
    }

    /// One connection less of a member on `node`; the member if that was its last one anywhere.
    pub(crate) fn leave(&mut self, node: NodeId, user_id: &str) -> Option<Arc<Member>> {
        let presence = self.users.get_mut(user_id)?;
        let at = presence.sockets.iter().position(|(by, _)| *by == node)?;
        presence.sockets[at].1 -= 1;
        if presence.sockets[at].1 == 0 {
            presence.sockets.swap_remove(at);
        }
        if !presence.sockets.is_empty() {
            return None;
        }
        self.users.remove(user_id).map(|presence| presence.member)
    }

    /// `node` holds nothing any more; the members whose last connections those were.
    pub(crate) fn drop_node(&mut self, node: NodeId) -> Vec<Arc<Member>> {
        let mut removed = Vec::new();
        self.users.retain(|_, presence| {
            presence.sockets.retain(|(by, _)| *by != node);
            if presence.sockets.is_empty() {
                removed.push(presence.member.clone());
            }
            !presence.sockets.is_empty()
        });
        removed
    }
}

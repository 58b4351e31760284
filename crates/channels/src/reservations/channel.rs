//! The claims to places of one channel that are not settled.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use crate::reservations::message::Stamp;
use crate::reservations::table::{Members, PeerIndex, ReservationId};

/// A claim of this node.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) stamp: Stamp,
    pub(crate) user: Box<str>,
    /// How many members the channel may have.
    pub(crate) limit: usize,
    pub(crate) reservation: ReservationId,
    /// Who have not answered that they have seen it.
    pub(crate) unseen_by: BTreeSet<PeerIndex>,
    /// It is decided by what is known.
    pub(crate) is_urgent: bool,
}

/// Owned by [`Reservations`](crate::reservations::Reservations).
#[derive(Debug, Default)]
pub(crate) struct ChannelReservations {
    /// In the order of their stamps.
    pub(crate) own: VecDeque<Own>,
    /// Those of the peers, by stamp, with the users' ids.
    pub(crate) others: BTreeMap<(Stamp, PeerIndex), Box<str>>,
}

impl ChannelReservations {
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.others.is_empty()
    }

    /// Whether a place is claimed by us, or by a peer that fits.
    pub(crate) fn is_claimed(&self, fits: impl Fn(PeerIndex) -> bool) -> bool {
        !self.own.is_empty() || self.others.keys().any(|(_, peer)| fits(*peer))
    }

    /// Whether our first claim is granted; none as long as that is open. Those behind it have a
    /// place at the earliest when it has.
    pub(crate) fn verdict(
        &self,
        members: &impl Members,
        is_late: impl Fn(PeerIndex) -> bool,
    ) -> Option<bool> {
        let own = self.own.front()?;
        if members.has_here(&own.user) {
            return Some(true);
        }
        let is_member = members.has(&own.user);
        if !is_member && members.count() >= own.limit {
            return Some(false);
        }
        if !own.is_urgent && !own.unseen_by.iter().all(|peer| is_late(*peer)) {
            return None;
        }
        let room = own.limit.saturating_sub(members.count() + usize::from(!is_member));
        let fits = members.count() + usize::from(!is_member) <= own.limit
            && self.claimed_before(own, members, is_late, room) <= room;
        match fits {
            true => Some(true),
            false => own.is_urgent.then_some(is_member),
        }
    }

    /// How many become members if the peers' claims before ours are all granted; no more than one
    /// over `most` is counted.
    fn claimed_before(
        &self,
        own: &Own,
        members: &impl Members,
        is_late: impl Fn(PeerIndex) -> bool,
        most: usize,
    ) -> usize {
        let before = self.others.range(..(own.stamp, PeerIndex::MIN));
        let mut users = HashSet::new();
        for ((_, peer), user) in before {
            if !is_late(*peer) && *user != own.user && !members.has(user) {
                users.insert(user);
            }
            if users.len() > most {
                break;
            }
        }
        users.len()
    }
}

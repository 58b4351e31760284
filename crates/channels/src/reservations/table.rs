//! All claims that one node knows, by channel.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use foldhash::fast::RandomState;

use crate::reservations::channel::{ChannelReservations, Own};
use crate::reservations::message::{ReservationMessage, Stamp};

/// Another node, by the number that the caller gave it.
pub type PeerIndex = u16;

/// Somebody who waits for a place; numbered by the caller.
pub type ReservationId = u64;

/// The members of a channel as this node sees them.
pub trait Members {
    /// How many distinct users are members, over all nodes.
    fn count(&self) -> usize;
    /// Whether a user is a member, on whichever node.
    fn has(&self, user: &str) -> bool;
    /// Whether a user is a member on this node.
    fn has_here(&self, user: &str) -> bool;
}

/// Somebody wants to become a member.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The user's id.
    pub user: &'a str,
    /// How many members the channel may have.
    pub limit: usize,
    /// How many members of this node may be unknown to a peer that is not late.
    pub unconfirmed: usize,
    /// What the decision is to be called, if it comes later.
    pub reservation: ReservationId,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Join {
    /// There is a place.
    Yes,
    /// There is none.
    Full,
    /// A place is claimed: tell everybody, and see whether it is [decided](Reservations::decide) at once.
    Claimed(ReservationMessage),
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whose it was.
    pub reservation: ReservationId,
    /// Whether there is a place.
    pub granted: bool,
    /// To be told to everybody, after the new member.
    pub settled: ReservationMessage,
}

/// How many unconfirmed members a node may have in a channel of `limit` members, if there are so
/// many nodes. Up to four nodes it does not depend on their number, so that it does not matter when
/// each of them notices that there is one more.
pub fn allowance(limit: usize, nodes: usize) -> usize {
    (limit / 8).max(1).min(limit / (2 * nodes.max(1)))
}

/// Owned by the node.
pub struct Reservations<K> {
    /// This run of this node.
    me: u64,
    /// The highest stamp that is known.
    time: u64,
    /// Whether they are late.
    peers: BTreeMap<PeerIndex, bool>,
    channels: HashMap<K, ChannelReservations, RandomState>,
}

impl<K: Clone + Eq + Hash> Reservations<K> {
    /// A node without peers. `me` is a number that no other run of any node has.
    pub fn new(me: u64) -> Self {
        Reservations { me, time: 0, peers: BTreeMap::new(), channels: HashMap::default() }
    }

    /// Somebody wants to become a member of a channel.
    pub fn join(&mut self, key: &K, wish: Request<'_>, members: &impl Members) -> Join {
        let Request { user, limit, unconfirmed, reservation } = wish;
        if members.has_here(user) {
            return Join::Yes;
        }
        let is_member = members.has(user);
        if !is_member && members.count() >= limit {
            return Join::Full;
        }
        let nodes = self.peers.len() + 1;
        let allowance = allowance(limit, nodes);
        let count = members.count() + usize::from(!is_member);
        let is_far = unconfirmed < allowance && count + (nodes - 1) * allowance <= limit;
        let is_claimed =
            |channel: &ChannelReservations| channel.is_claimed(|peer| !self.is_late(peer));
        if self.peers.is_empty() || is_far && !self.channels.get(key).is_some_and(is_claimed) {
            return Join::Yes;
        }
        self.time = self.time.saturating_add(1);
        let stamp = Stamp { time: self.time, node: self.me };
        let own = Own {
            stamp,
            user: user.into(),
            limit,
            reservation,
            unseen_by: self.peers.keys().copied().collect(),
            is_urgent: false,
        };
        let claim = claim(&own);
        self.channels.entry(key.clone()).or_default().own.push_back(own);
        Join::Claimed(claim)
    }

    /// The next claim to a place of the channel that is decided now. To be called until there is
    /// none: after a claim, after something was heard, and when the members have changed. Before the
    /// next call, `members` must have who was granted a place.
    pub fn decide(&mut self, key: &K, members: &impl Members) -> Option<Decision> {
        let channel = self.channels.get(key)?;
        let granted = channel.verdict(members, |peer| self.is_late(peer))?;
        let Own { reservation, stamp, .. } = self.channels.get_mut(key)?.own.pop_front()?;
        self.tidy(key);
        Some(Decision { reservation, granted, settled: ReservationMessage::Settled { stamp } })
    }

    /// Somebody does not want to become a member any more. Everybody is to be told so, if it still
    /// waited.
    pub fn cancel(&mut self, key: &K, reservation: ReservationId) -> Option<ReservationMessage> {
        let own = &mut self.channels.get_mut(key)?.own;
        let at = own.iter().position(|own| own.reservation == reservation)?;
        let stamp = own.remove(at)?.stamp;
        self.tidy(key);
        Some(ReservationMessage::Settled { stamp })
    }

    /// Somebody's patience is over: its claim is decided when its turn comes, by what is known then,
    /// and those who have not answered it are late. False if it was decided before.
    pub fn hurry(&mut self, key: &K, reservation: ReservationId) -> bool {
        let own = self.channels.get_mut(key).map(|channel| &mut channel.own);
        let Some(own) =
            own.and_then(|own| own.iter_mut().find(|own| own.reservation == reservation))
        else {
            return false;
        };
        own.is_urgent = true;
        for peer in &own.unseen_by {
            self.peers.entry(*peer).and_modify(|late| *late = true);
        }
        true
    }

    /// Another node has told something; the answer to it.
    pub fn hear(
        &mut self,
        from: PeerIndex,
        key: &K,
        message: ReservationMessage,
    ) -> Option<ReservationMessage> {
        let late = self.peers.get_mut(&from)?;
        match message {
            ReservationMessage::Claim { stamp, user } => {
                self.time = self.time.max(stamp.time);
                let channel = self.channels.entry(key.clone()).or_default();
                channel.others.insert((stamp, from), user);
                Some(ReservationMessage::Seen { stamp })
            }
            ReservationMessage::Seen { stamp } => {
                *late = false;
                let own = self.channels.get_mut(key).map(|channel| &mut channel.own);
                let own = own.and_then(|own| own.iter_mut().find(|own| own.stamp == stamp));
                if let Some(own) = own {
                    own.unseen_by.remove(&from);
                }
                None
            }
            ReservationMessage::Settled { stamp } => {
                if let Some(channel) = self.channels.get_mut(key) {
                    channel.others.remove(&(stamp, from));
                }
                self.tidy(key);
                None
            }
        }
    }

    /// Another node is there. It has to be told [our claims](Self::ours).
    pub fn up(&mut self, peer: PeerIndex) {
        self.peers.insert(peer, false);
    }

    /// Another node is gone.
    pub fn down(&mut self, peer: PeerIndex) {
        self.peers.remove(&peer);
        self.forget(peer, |own| own.unseen_by.retain(|other| *other != peer));
    }

    /// What a node told may be lost: it tells everything anew, and may have seen our claims without
    /// our hearing of it. It has to be told [them](Self::ours) again.
    pub fn restarted(&mut self, peer: PeerIndex) {
        if self.peers.contains_key(&peer) {
            self.forget(peer, |own| own.unseen_by.extend([peer]));
        }
    }

    /// The claims of this node, as a peer has to be told.
    pub fn ours(&self) -> Vec<(K, ReservationMessage)> {
        let of_channel = |(key, channel): (&K, &ChannelReservations)| {
            let claims = channel.own.iter().map(|own| (key.clone(), claim(own)));
            claims.collect::<Vec<_>>()
        };
        self.channels.iter().flat_map(of_channel).collect()
    }

    /// The channels in which somebody here waits.
    pub fn waiting(&self) -> Vec<K> {
        let waiting = self.channels.iter().filter(|(_, channel)| !channel.own.is_empty());
        waiting.map(|(key, _)| key.clone()).collect()
    }

    /// Whether a peer has let somebody's patience end, and not answered since.
    pub fn is_late(&self, peer: PeerIndex) -> bool {
        self.peers.get(&peer).copied().unwrap_or(true)
    }

    /// Whether no claim is known.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    fn forget(&mut self, peer: PeerIndex, act: impl Fn(&mut Own)) {
        self.channels.retain(|_, channel| {
            channel.others.retain(|(_, by), _| *by != peer);
            channel.own.iter_mut().for_each(&act);
            !channel.is_empty()
        });
    }

    fn tidy(&mut self, key: &K) {
        if self.channels.get(key).is_some_and(ChannelReservations::is_empty) {
            self.channels.remove(key);
        }
    }
}

fn claim(own: &Own) -> ReservationMessage {
    ReservationMessage::Claim { stamp: own.stamp, user: own.user.clone() }
}

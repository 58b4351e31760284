//! Who gets a place in a presence channel: what follows when a claim is made, answered, or decided.
//! `places` keeps the claims.

use channels::registry::{Entry, NodeId, Roster, ShardId};
use channels::replication::Message;
use channels::reservations::Message as Claim;

use super::Peers;
use super::places::{Applicant, Decided, Place, Withdrawn};
use super::tell::told;
use crate::hub::{ConnectionId, Dispatch, Newcomer, Op, Topic};
use crate::node::Node;

impl Peers {
    /// Whether there is a place in a presence channel for somebody. To be called under the channel's
    /// lock.
    pub(crate) fn place(&self, topic: &Topic, roster: &Roster, applicant: &Newcomer<'_>) -> Place {
        let (Some(member), Some(limit)) = (applicant.member, applicant.max_members) else {
            return Place::Free;
        };
        if self.outlets.is_alone() {
            let is_full = roster.len() >= limit && !roster.contains(&member.id);
            return if is_full { Place::None } else { Place::Free };
        }
        let &Newcomer { shard, connection, .. } = applicant;
        let applicant = Applicant { shard, connection, member: member.clone(), limit };
        self.places.join(topic, roster, applicant)
    }

    /// The next claim that is decided, if there is one. To be called under the channel's lock.
    pub(crate) fn decide_place(&self, topic: &Topic, roster: &Roster) -> Option<Decided> {
        self.places.decide(topic, roster)
    }

    /// A connection has left a channel. To be called under the channel's lock.
    pub(crate) fn withdraw(&self, topic: &Topic, shard: ShardId, of: ConnectionId) -> Withdrawn {
        self.places.leave(topic, shard, of)
    }

    /// Whether a connection, for which its shard has a subscription to the channel, has no place
    /// there, or not yet.
    pub(crate) fn has_no_place(&self, topic: &Topic, shard: ShardId, of: ConnectionId) -> bool {
        self.places.has_none(topic, shard, of)
    }

    /// A shard hears that a connection gets no place; false if the connection has left since, or
    /// tries again.
    pub(crate) fn take_refusal(&self, topic: &Topic, shard: ShardId, of: ConnectionId) -> bool {
        self.places.take_refusal(topic, shard, of)
    }

    /// Connections that wait for a place, and claims that were not answered in time.
    pub(crate) fn places(&self) -> (usize, u64) {
        self.places.size()
    }

    /// A peer is there, or its stream begins anew: it is told what is claimed.
    pub(super) fn introduce_claims(&self, node: NodeId, is_new: bool) {
        self.tell_claims(node, self.places.introduce(node, is_new));
    }

    /// A peer tells everything anew.
    pub(super) fn claims_restarted(&self, node: NodeId) {
        self.tell_claims(node, self.places.restarted(node));
    }

    fn tell_claims(&self, node: NodeId, claims: Vec<(Topic, Claim)>) {
        let tell = |(topic, claim): &(Topic, Claim)| {
            let entry = Message::Claim(told(topic), claim.clone()).encode();
            self.outlets.tell_one(node, entry)
        };
        if claims.iter().map(tell).fold(false, |wake, told| wake | told) {
            self.wake();
        }
    }
}

impl Node {
    /// Sees which claims to places of a channel are decided now: the members have changed, or a peer
    /// has answered.
    pub(crate) fn settle_places(&self, topic: &Topic) {
        if self.peers.places.is_idle() {
            return;
        }
        let mut dispatch = self.dispatch();
        self.registry.update(&topic.app, &topic.channel, |entry| {
            while let Some(decided) = self.peers.decide_place(topic, entry.roster()) {
                let Decided { applicant, granted, settled } = decided;
                self.admit(&mut dispatch, topic, entry, &applicant, granted);
                dispatch.tell_claim(topic, settled);
            }
        });
    }

    /// It is decided whether somebody who waited for a place in a presence channel has it.
    fn admit(
        &self,
        dispatch: &mut Dispatch<'_>,
        topic: &Topic,
        entry: &mut Entry,
        applicant: &Applicant,
        granted: bool,
    ) {
        let &Applicant { shard, connection, ref member, limit } = applicant;
        if granted {
            let (member, max_members) = (Some(member), Some(limit));
            let newcomer = Newcomer { shard, connection, member, max_members, asked: true };
            let app = self.apps.by_id(&topic.app);
            self.enter(dispatch, app.as_deref(), topic, entry, &newcomer);
        } else {
            dispatch.send(shard, Op::Refuse { to: connection, topic: topic.clone(), limit });
        }
    }

    /// The same for all channels.
    pub(super) fn settle_all_places(&self) {
        self.peers.places.waiting().iter().for_each(|topic| self.settle_places(topic));
    }

    /// A peer tells of a claim, or answers one of ours.
    pub(super) fn hear_claim(&self, from: NodeId, topic: &Topic, claim: Claim) {
        let mut dispatch = self.dispatch();
        self.registry.read(&topic.app, &topic.channel, |entry| {
            if let Some(answer) = self.peers.places.hear(from, topic, claim) {
                dispatch.answer_claim(from, topic, entry.map(|(_, entry)| entry), answer);
            }
        });
        drop(dispatch);
        self.settle_places(topic);
    }

    /// Sees to it that nobody waits for too long. Runs for as long as the node does.
    pub(super) async fn end_claims(&self) {
        loop {
            self.peers.places.run_out_of_patience().await;
            self.settle_all_places();
        }
    }
}

//! Places in presence channels, as the server gives them away: at once while there are enough,
//! otherwise by a claim that the peers have to answer, or patience ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use channels::registry::{Entry, Member, NodeId};
use channels::replication::{Tickets, Unconfirmed, Union};
use channels::reservations::{Claims, Decision, Join, Ticket, Wish};
use cluster::Incarnation;

use crate::Channel;
use crate::ledger::Ledger;
use crate::load::limit;
use crate::local::Local;
use crate::node::Node;
use crate::socket::SocketNumber;
use crate::waits::PATIENCE;

/// Somebody who waits for a place.
pub(crate) struct Applicant {
    ticket: Ticket,
    channel: Channel,
    socket: SocketNumber,
    member: Arc<Member>,
    until: u64,
}

pub(crate) struct Places {
    pub(crate) claims: Claims<Channel>,
    applicants: VecDeque<Applicant>,
    unconfirmed: BTreeMap<Channel, Unconfirmed>,
    tickets: Ticket,
}

impl Places {
    pub(crate) fn new(me: Incarnation) -> Self {
        Places {
            claims: Claims::new(me.0),
            applicants: VecDeque::new(),
            unconfirmed: BTreeMap::new(),
            tickets: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.applicants.is_empty()
    }

    /// The channels where a client waits for a place.
    pub(crate) fn of(&self, socket: SocketNumber) -> Vec<Channel> {
        let of = self.applicants.iter().filter(|applicant| applicant.socket == socket);
        of.map(|applicant| applicant.channel.clone()).collect()
    }

    /// How many members of this node some peer may not know.
    pub(crate) fn unconfirmed(&mut self, channel: &Channel) -> usize {
        let Places { claims, unconfirmed, .. } = self;
        let is_late = |peer: NodeId| claims.is_late(peer.0);
        unconfirmed.get_mut(channel).map_or(0, |members| members.count(is_late))
    }

    pub(crate) fn told(&mut self, channel: &Channel, tickets: Tickets) {
        self.unconfirmed.entry(channel.clone()).or_default().add(tickets);
    }
}

impl Local {
    /// Whether there is a place at once; if it is claimed, the client waits.
    pub(crate) fn has_place(
        &mut self,
        now: u64,
        channel: &Channel,
        entry: &Entry,
        (socket, member): (SocketNumber, Option<&Arc<Member>>),
        ledger: &mut Ledger,
    ) -> bool {
        let (Some(member), Some(limit)) = (member, limit(channel)) else { return true };
        let roster = entry.roster();
        if self.outlets.is_alone() {
            return roster.contains(&member.id) || roster.len() < limit;
        }
        let unconfirmed = self.places.unconfirmed(channel);
        self.places.tickets += 1;
        let ticket = self.places.tickets;
        let wish = Wish { user: &member.id, limit, unconfirmed, ticket };
        match self.places.claims.join(channel, wish, &Union(roster)) {
            Join::Yes => true,
            Join::Full => false,
            Join::Claimed(claim) => {
                ledger.summary.claimed += 1;
                let (channel, member) = (channel.clone(), member.clone());
                self.tell_claim(&channel, claim);
                let until = now + PATIENCE;
                let applicant = Applicant { ticket, channel, socket, member, until };
                self.places.applicants.push_back(applicant);
                false
            }
        }
    }

    /// A client does not wait for a place any more; false if it does not.
    pub(crate) fn withdraw(&mut self, channel: &Channel, socket: SocketNumber) -> bool {
        let is_it = |one: &Applicant| one.channel == *channel && one.socket == socket;
        let applicants = &mut self.places.applicants;
        let Some(at) = applicants.iter().position(is_it) else { return false };
        let ticket = applicants.remove(at).unwrap().ticket;
        let settled = self.places.claims.cancel(channel, ticket).unwrap();
        self.tell_claim(channel, settled);
        true
    }
}

impl Node {
    /// Sees which claims to places of a channel are decided now.
    pub(crate) fn settle_places(&mut self, now: u64, channel: &Channel, ledger: &mut Ledger) {
        let local = &mut self.local;
        self.registry.update(&self.app, channel, |entry| {
            loop {
                let decision = local.places.claims.decide(channel, &Union(entry.roster()));
                let Some(Decision { ticket, granted, settled }) = decision else { return };
                let applicants = &mut local.places.applicants;
                let at = applicants.iter().position(|one| one.ticket == ticket).unwrap();
                let Applicant { socket, member, .. } = applicants.remove(at).unwrap();
                if granted {
                    local.enter(now, channel, entry, (socket, Some(&member)), ledger);
                }
                local.tell_claim(channel, settled);
            }
        });
    }

    pub(crate) fn settle_all_places(&mut self, now: u64, ledger: &mut Ledger) {
        let mut waiting = self.local.places.claims.waiting();
        // A run must not depend on the order in a table.
        waiting.sort();
        waiting.iter().for_each(|channel| self.settle_places(now, channel, ledger));
    }

    /// Decides about those who have waited for too long.
    pub(crate) fn lose_patience(&mut self, now: u64, ledger: &mut Ledger) {
        let Places { claims, applicants, .. } = &mut self.local.places;
        let late = applicants.iter().filter(|applicant| applicant.until <= now);
        let late = late.filter(|one| claims.hurry(&one.channel, one.ticket)).count() as u64;
        ledger.summary.unanswered += late;
        if late > 0 {
            self.settle_all_places(now, ledger);
        }
    }

    /// A peer is there, or tells or is told everything anew: it is told what is claimed.
    pub(crate) fn tell_claims(&mut self, to: NodeId) {
        let mut ours = self.local.places.claims.ours();
        ours.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (channel, claim) in ours {
            self.local.tell_claim_to(to, &channel, claim);
        }
    }

    /// A peer tells of a claim, or answers one.
    pub(crate) fn hear_claim(
        &mut self,
        now: u64,
        from: NodeId,
        channel: &Channel,
        claim: channels::reservations::Message,
        ledger: &mut Ledger,
    ) {
        let local = &mut self.local;
        self.registry.read(&self.app, channel, |entry| {
            if let Some(answer) = local.places.claims.hear(from.0, channel, claim) {
                local.answer_claim(from, channel, entry.map(|(_, entry)| entry), answer);
            }
        });
        self.settle_places(now, channel, ledger);
    }
}

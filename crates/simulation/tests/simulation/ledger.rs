//! What really happened, as no node knows it: who published how much, and between whom something
//! went wrong that may cost events.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Incarnation;

use crate::Channel;
use crate::kept::Kept;
use crate::speaking::Statements;
use crate::spending::Spendings;

/// The order in which things happened; not the time.
pub(crate) type Moment = u64;

/// Owned by the world, written to by all nodes.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Nothing may go missing between any two nodes, whenever they found each other.
    pub(crate) strict: bool,
    pub(crate) summary: Summary,
    pub(crate) statements: Statements,
    pub(crate) kept: Kept,
    pub(crate) spendings: Spendings,
    moment: Moment,
    /// Who had a channel's subscribers closed, when, and after which event of its own.
    terminated: Vec<(Channel, Incarnation, Moment, u64)>,
    /// The number of the last event, by publishing node and channel.
    published: BTreeMap<(Incarnation, Channel), u64>,
    /// (a, b): a has b's whole snapshot, and has lost nothing of it since.
    whole: BTreeSet<(Incarnation, Incarnation)>,
    /// When a stream between two nodes ended last, or one held the other for dead.
    disturbed: BTreeMap<(Incarnation, Incarnation), Moment>,
}

/// How much happened, so that a run in which nothing did is noticed.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) deaths: u64,
    pub(crate) streams_renewed: u64,
    pub(crate) long_snapshots: u64,
    /// Events that sockets received.
    pub(crate) received: u64,
    /// Subscriptions that waited for peers.
    pub(crate) waited: u64,
    /// Subscriptions that succeeded.
    pub(crate) succeeded: u64,
    /// Those of them that no timeout excuses from missing something.
    pub(crate) unexcused: u64,
    /// Events that were missing, with an excuse.
    pub(crate) missing: u64,
    /// Statements that were made while membership was stable.
    pub(crate) statements: u64,
    /// Subscriptions that waited for a place.
    pub(crate) claimed: u64,
    /// Those of them for which not all peers answered in time.
    pub(crate) unanswered: u64,
    /// Times at which a channel had all the members that it may have, and was checked.
    pub(crate) full: u64,
    /// Entries of a later version that this one does not understand.
    pub(crate) news: u64,
    /// Last events that newcomers to cache channels were sent.
    pub(crate) replayed: u64,
    /// Times at which a backend heard that a cache channel was found empty.
    pub(crate) misses: u64,
    /// Times at which somebody began to watch a user.
    pub(crate) watched: u64,
    /// Connections that a backend had closed.
    pub(crate) terminated: u64,
    /// Connections that got a slot.
    pub(crate) seated: u64,
    /// Connections that got none.
    pub(crate) turned_away: u64,
    /// Times at which all slots were in use, and that was checked.
    pub(crate) sold_out: u64,
    /// Events that backends published.
    pub(crate) spent: u64,
    /// Events for which another node was asked.
    pub(crate) dealt: u64,
    /// Events that were too many.
    pub(crate) over_rate: u64,
    /// Parts of facts that are too long for one entry.
    pub(crate) parts: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, other: &Summary) {
        self.deaths += other.deaths;
        self.streams_renewed += other.streams_renewed;
        self.long_snapshots += other.long_snapshots;
        self.received += other.received;
        self.waited += other.waited;
        self.succeeded += other.succeeded;
        self.unexcused += other.unexcused;
        self.missing += other.missing;
        self.statements += other.statements;
        self.claimed += other.claimed;
        self.unanswered += other.unanswered;
        self.full += other.full;
        self.news += other.news;
        self.replayed += other.replayed;
        self.misses += other.misses;
        self.watched += other.watched;
        self.terminated += other.terminated;
        self.seated += other.seated;
        self.turned_away += other.turned_away;
        self.sold_out += other.sold_out;
        self.spent += other.spent;
        self.dealt += other.dealt;
        self.over_rate += other.over_rate;
        self.parts += other.parts;
    }
}

impl Ledger {
    pub(crate) fn new(strict: bool) -> Self {
        Ledger { strict, ..Ledger::default() }
    }

    /// Now, which is after everything that happened before.
    pub(crate) fn moment(&mut self) -> Moment {
        self.moment += 1;
        self.moment
    }

    /// A node has a channel's subscribers closed.
    pub(crate) fn terminate(&mut self, by: Incarnation, channel: &Channel) {
        let moment = self.moment();
        let number = self.published(by, channel);
        self.terminated.push((channel.clone(), by, moment, number));
    }

    /// By whom a channel's subscribers were closed, when, and after which event.
    pub(crate) fn terminations(
        &self,
        channel: &Channel,
    ) -> impl Iterator<Item = (Incarnation, Moment, u64)> {
        let of = self.terminated.iter().filter(move |(of, ..)| of == channel);
        of.map(|(_, by, moment, number)| (*by, *moment, *number))
    }

    /// The number of the next event.
    pub(crate) fn publish(&mut self, publisher: Incarnation, channel: &Channel) -> u64 {
        let number = self.published.entry((publisher, channel.clone())).or_default();
        *number += 1;
        *number
    }

    /// The number of the last event.
    pub(crate) fn published(&self, publisher: Incarnation, channel: &Channel) -> u64 {
        self.published.get(&(publisher, channel.clone())).copied().unwrap_or(0)
    }

    /// `by` has everything that `of` told.
    pub(crate) fn is_whole(&mut self, by: Incarnation, of: Incarnation) {
        self.whole.insert((by, of));
    }

    /// `by` is about to be told everything anew.
    pub(crate) fn is_not_whole(&mut self, by: Incarnation, of: Incarnation) {
        self.whole.remove(&(by, of));
    }

    /// Whether two nodes know everything of each other.
    pub(crate) fn are_linked(&self, a: Incarnation, b: Incarnation) -> bool {
        self.whole.contains(&(a, b)) && self.whole.contains(&(b, a))
    }

    /// Something went wrong between two nodes that may cost events.
    pub(crate) fn disturb(&mut self, a: Incarnation, b: Incarnation) {
        let moment = self.moment();
        self.disturbed.insert((a.min(b), a.max(b)), moment);
    }

    pub(crate) fn undisturbed_since(&self, a: Incarnation, b: Incarnation, since: Moment) -> bool {
        self.disturbed.get(&(a.min(b), a.max(b))).is_none_or(|moment| *moment < since)
    }

    /// Every node that is linked with `me`, or that is not excused from being.
    pub(crate) fn publishers(&self, me: Incarnation) -> BTreeSet<Incarnation> {
        let known = self.whole.iter().filter(|(by, of)| *by == me && self.are_linked(me, *of));
        let known = known.map(|(_, of)| *of).chain([me]);
        let all = self.published.keys().map(|(publisher, _)| *publisher);
        known.chain(all.filter(|_| self.strict)).collect()
    }
}

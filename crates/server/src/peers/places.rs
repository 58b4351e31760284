//! Places in presence channels, whose limits hold over all nodes: the claims, and those who wait for
//! one to be decided, 50 ms at most.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use channels::registry::{Member, NodeId, Roster, ShardId};
use channels::replication::{Tickets, Unconfirmed, Union};
use channels::reservations::{Claims, Decision, Join, Message as Claim, Ticket, Wish};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::hub::{ConnectionId, Topic};

/// The most that a client waits for a place.
const PATIENCE: Duration = Duration::from_millis(50);
/// Whoever wakes so much later than it wanted to was paused itself, and reads what has come
/// meanwhile before it holds others for late.
const LAG: Duration = Duration::from_millis(10);

/// A connection that waits for a place.
#[derive(Clone, Debug)]
pub(crate) struct Applicant {
    pub(crate) shard: ShardId,
    pub(crate) connection: ConnectionId,
    pub(crate) member: Arc<Member>,
    /// How many members the channel may have.
    pub(crate) limit: usize,
}

/// Whether there is a place.
pub(crate) enum Place {
    Free,
    None,
    /// It is claimed; the message is to be told to everybody.
    Claimed(Claim),
}

/// What became of a claim; the message is to be told to everybody, after the member.
pub(crate) struct Decided {
    pub(crate) applicant: Applicant,
    pub(crate) granted: bool,
    pub(crate) settled: Claim,
}

/// What became of a connection that left a channel.
pub(crate) enum Withdrawn {
    /// It had its place, or needed none.
    Nothing,
    /// It waited; the message is to be told to everybody.
    Claim(Claim),
    /// It was refused, and its shard does not know yet.
    Refusal,
}

struct Waiting {
    ticket: Ticket,
    applicant: Applicant,
    /// It does not wait any longer, but its shard has not heard of it.
    refused: bool,
}

struct State {
    claims: Claims<Topic>,
    waiting: HashMap<Topic, Vec<Waiting>>,
    /// In the order in which they began; some may have ended.
    order: VecDeque<(Instant, Topic, Ticket)>,
    tickets: Ticket,
    /// New members of this node, by channel. Kept until a heartbeat finds that all peers know them.
    unconfirmed: HashMap<Topic, Unconfirmed>,
}

/// Owned by the node. What concerns a channel happens under its lock; the lock in here is taken
/// inside of that, never around it. Who waits is bounded by what connections may subscribe to within
/// the patience, what peers claim by the same on their side.
pub(super) struct Places {
    state: Mutex<State>,
    /// Connections that wait, or were refused and do not know yet: most of the time none does, and
    /// nobody has to look.
    applicants: AtomicUsize,
    /// Claims that peers did not answer in time.
    unanswered: AtomicU64,
    added: Notify,
}

impl State {
    /// Takes out who waits, by what fits.
    fn take(&mut self, topic: &Topic, fits: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let waiting = self.waiting.get_mut(topic)?;
        let at = waiting.iter().position(fits)?;
        let taken = waiting.remove(at);
        if waiting.is_empty() {
            self.waiting.remove(topic);
        }
        Some(taken)
    }
}

impl Waiting {
    fn is(&self, shard: ShardId, connection: ConnectionId) -> bool {
        self.applicant.connection == connection && self.applicant.shard == shard
    }
}

impl Places {
    pub(super) fn new(me: u64) -> Self {
        Places {
            state: Mutex::new(State {
                claims: Claims::new(me),
                waiting: HashMap::new(),
                order: VecDeque::new(),
                tickets: 0,
                unconfirmed: HashMap::new(),
            }),
            applicants: AtomicUsize::new(0),
            unanswered: AtomicU64::new(0),
            added: Notify::new(),
        }
    }

    /// Connections that wait, and claims that were not answered in time.
    pub(super) fn size(&self) -> (usize, u64) {
        (self.applicants.load(Relaxed), self.unanswered.load(Relaxed))
    }

    /// Whether nobody waits. What was claimed under a channel's lock is seen by whoever has it now.
    pub(super) fn is_idle(&self) -> bool {
        self.applicants.load(Relaxed) == 0
    }

    /// Somebody wants to become a member.
    pub(super) fn join(&self, topic: &Topic, roster: &Roster, applicant: Applicant) -> Place {
        let mut state = self.state.lock();
        let State { claims, unconfirmed, tickets, .. } = &mut *state;
        *tickets += 1;
        let ticket = *tickets;
        let is_late = |peer: NodeId| claims.is_late(peer.0);
        let unconfirmed = unconfirmed.get_mut(topic).map_or(0, |members| members.count(is_late));
        let wish = Wish { user: &applicant.member.id, limit: applicant.limit, unconfirmed, ticket };
        let claim = match claims.join(topic, wish, &Union(roster)) {
            Join::Yes => return Place::Free,
            Join::Full => return Place::None,
            Join::Claimed(claim) => claim,
        };
        let waiting = Waiting { ticket, applicant, refused: false };
        state.waiting.entry(topic.clone()).or_default().push(waiting);
        state.order.push_back((Instant::now() + PATIENCE, topic.clone(), ticket));
        self.applicants.fetch_add(1, Relaxed);
        drop(state);
        self.added.notify_one();
        Place::Claimed(claim)
    }

    /// The next claim that is decided, if there is one.
    pub(super) fn decide(&self, topic: &Topic, roster: &Roster) -> Option<Decided> {
        let mut state = self.state.lock();
        loop {
            let decision = state.claims.decide(topic, &Union(roster))?;
            let Decision { ticket, granted, settled } = decision;
            if granted {
                let taken = state.take(topic, |waiting| waiting.ticket == ticket);
                let Some(Waiting { applicant, .. }) = taken else { continue };
                self.applicants.fetch_sub(1, Relaxed);
                return Some(Decided { applicant, granted, settled });
            }
            let waiting = state.waiting.get_mut(topic).into_iter().flatten();
            let refused = waiting.into_iter().find(|waiting| waiting.ticket == ticket);
            let Some(waiting) = refused else { continue };
            waiting.refused = true;
            return Some(Decided { applicant: waiting.applicant.clone(), granted, settled });
        }
    }

    /// A connection has left a channel.
    pub(super) fn leave(&self, topic: &Topic, shard: ShardId, of: ConnectionId) -> Withdrawn {
        if self.is_idle() {
            return Withdrawn::Nothing;
        }
        let mut state = self.state.lock();
        let taken = state.take(topic, |waiting| waiting.is(shard, of));
        let Some(Waiting { ticket, refused, .. }) = taken else { return Withdrawn::Nothing };
        self.applicants.fetch_sub(1, Relaxed);
        match state.claims.cancel(topic, ticket) {
            Some(settled) if !refused => Withdrawn::Claim(settled),
            _ => Withdrawn::Refusal,
        }
    }

    /// Whether a connection, for which its shard has a subscription to the channel, has no place
    /// there, or not yet.
    pub(super) fn has_none(&self, topic: &Topic, shard: ShardId, connection: ConnectionId) -> bool {
        if self.is_idle() {
            return false;
        }
        let state = self.state.lock();
        let mut waiting = state.waiting.get(topic).into_iter().flatten();
        waiting.any(|waiting| waiting.is(shard, connection))
    }

    /// A shard hears of a refusal; false if the connection has left since, or tries again.
    pub(super) fn take_refusal(&self, topic: &Topic, shard: ShardId, of: ConnectionId) -> bool {
        let taken =
            self.state.lock().take(topic, |waiting| waiting.refused && waiting.is(shard, of));
        self.applicants.fetch_sub(taken.is_some().into(), Relaxed);
        taken.is_some()
    }

    /// How many new members some peer may not know.
    pub(super) fn unconfirmed(&self, topic: &Topic) -> usize {
        let mut state = self.state.lock();
        let State { claims, unconfirmed, .. } = &mut *state;
        let is_late = |peer: NodeId| claims.is_late(peer.0);
        unconfirmed.get_mut(topic).map_or(0, |members| members.count(is_late))
    }

    /// The peers were told of a new member.
    pub(super) fn told(&self, topic: &Topic, tickets: Tickets) {
        let mut state = self.state.lock();
        state.unconfirmed.entry(topic.clone()).or_default().add(tickets);
    }

    /// Forgets the channels whose members all peers know.
    pub(super) fn forget_confirmed(&self) {
        let mut state = self.state.lock();
        let State { claims, unconfirmed, .. } = &mut *state;
        let is_late = |peer: NodeId| claims.is_late(peer.0);
        unconfirmed.retain(|_, members| members.count(is_late) > 0);
    }

    /// A peer has told something; the answer.
    pub(super) fn hear(&self, from: NodeId, topic: &Topic, claim: Claim) -> Option<Claim> {
        self.state.lock().claims.hear(from.0, topic, claim)
    }

    /// A peer is there, or its stream begins anew: what it is to be told.
    pub(super) fn introduce(&self, node: NodeId, is_new: bool) -> Vec<(Topic, Claim)> {
        let mut state = self.state.lock();
        if is_new {
            state.claims.up(node.0);
        }
        state.claims.ours()
    }

    /// A peer tells everything anew: what it is to be told.
    pub(super) fn restarted(&self, node: NodeId) -> Vec<(Topic, Claim)> {
        let mut state = self.state.lock();
        state.claims.restarted(node.0);
        state.claims.ours()
    }

    /// A peer is gone.
    pub(super) fn down(&self, node: NodeId) {
        self.state.lock().claims.down(node.0);
    }

    /// The channels where somebody waits.
    pub(super) fn waiting(&self) -> Vec<Topic> {
        if self.is_idle() { Vec::new() } else { self.state.lock().claims.waiting() }
    }

    /// Returns when somebody's patience is over: its claim, and all that are as old, are decided by
    /// what is known. Whoever has not answered them is waited for no more until it does.
    pub(super) async fn run_out_of_patience(&self) {
        loop {
            let added = self.added.notified();
            let first = self.state.lock().order.front().map(|(until, ..)| *until);
            let Some(until) = first else {
                added.await;
                continue;
            };
            tokio::time::sleep_until(until.into()).await;
            if until.elapsed() > LAG {
                tokio::time::sleep(LAG).await;
            }
            if self.hurry(Instant::now()) {
                return;
            }
        }
    }

    fn hurry(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        let mut hurried = 0;
        while let Some((_, topic, ticket)) = state.order.pop_front_if(|(until, ..)| *until <= now) {
            hurried += u64::from(state.claims.hurry(&topic, ticket));
        }
        self.unanswered.fetch_add(hurried, Relaxed);
        hurried > 0
    }
}

//! Connections whose subscription is not complete: one table, for whatever they wait. It keeps them
//! and says what time or an answer does to them; what follows from that is in `joining`.
//!
//! ```text
//!   Place --reserved--> Interest --acknowledged--> LastEvent --fetched--> welcome
//!     `---none left---> Refused, until the shard has heard of it
//! ```
//!
//! A join begins at the first stage that it needs, and most need none.

mod state;

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use cluster::Now;
use parking_lot::Mutex;

use crate::registry::{Locked, Member, NodeId, Roster};
use crate::replication::{AckHandles, Union};
use crate::reservations::{Decision, Join as Reserve, Request, ReservationMessage};
use crate::topic::{ConnectionRef, Topic};
use state::{Interest, Join, JoinTable, LAG, Stage};

/// The most that a client waits for peers, in each of the stages that ask them.
const PEER_TIMEOUT: Duration = Duration::from_millis(50);
/// The most that a client waits for a channel's last event.
const LAST_EVENT_TIMEOUT: Duration = Duration::from_millis(250);

/// Owned by the node. What concerns a channel happens under its lock; the lock in here is taken
/// inside of that, never around it. Who waits is bounded by what connections may subscribe to within
/// the timeouts, what peers claim by the same on their side.
pub(crate) struct Joins {
    state: Mutex<JoinTable>,
    /// How many joins there are: most of the time none, and nobody has to look.
    waiting: AtomicUsize,
    applicants: AtomicUsize,
    /// Claims that peers did not answer in time.
    unanswered: AtomicU64,
}

/// A connection that joins a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newcomer {
    pub(crate) who: ConnectionRef,
    /// Whether the client asked, and is told.
    pub(crate) asked: bool,
}

/// A connection that asks for a place in a presence channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applicant<'a> {
    pub(crate) who: ConnectionRef,
    pub(crate) member: &'a Arc<Member>,
    /// How many members the channel may have.
    pub(crate) limit: usize,
}

/// Whether there is a place in a presence channel.
pub(crate) enum Reserved {
    Free,
    None,
    /// It is claimed, and the join waits; the message is to be told to everybody, and the timer that
    /// there is a new deadline.
    Claimed(ReservationMessage),
}

/// What became of a claim; the message is to be told to everybody, after the member.
pub(crate) struct Decided {
    pub(crate) who: ConnectionRef,
    pub(crate) member: Arc<Member>,
    pub(crate) limit: usize,
    pub(crate) granted: bool,
    pub(crate) settled: ReservationMessage,
}

/// What became of a connection that leaves a channel.
pub(crate) enum Departure {
    /// It counted.
    Counted,
    /// It waited for a place; the message is to be told to everybody.
    Claimed(ReservationMessage),
    /// It was refused, and its shard did not know yet.
    Refused,
}

/// Somebody who need not wait for a stage any longer.
pub(crate) struct Passed {
    pub(crate) newcomer: Newcomer,
    /// Whether the last event is still to be seen to.
    pub(crate) needs_last_event: bool,
}

impl Joins {
    pub(crate) fn new(me: u64) -> Self {
        Joins {
            state: Mutex::new(JoinTable::new(me)),
            waiting: AtomicUsize::new(0),
            applicants: AtomicUsize::new(0),
            unanswered: AtomicU64::new(0),
        }
    }

    /// Whether nobody waits. A join that began under a channel's lock is seen by whoever has that now.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.load(Relaxed) == 0
    }

    /// Joins that wait for a place, or were refused and do not know yet.
    pub(crate) fn applicants(&self) -> usize {
        self.applicants.load(Relaxed)
    }

    /// Claims that peers did not answer in time, so far.
    pub(crate) fn unanswered(&self) -> u64 {
        self.unanswered.load(Relaxed)
    }

    /// Channels whose first subscriber waits for the peers.
    pub(crate) fn unacknowledged(&self) -> usize {
        if self.is_idle() {
            return 0;
        }
        let state = self.state.lock();
        state.topics.values().filter(|joining| joining.interest.is_some()).count()
    }

    /// Whether there is a place for a member, where there may be `limit`; if it has to be claimed,
    /// the join begins.
    pub(crate) fn reserve(
        &self,
        _: Locked<'_>,
        topic: &Topic,
        roster: &Roster,
        applicant: Applicant<'_>,
        now: impl FnOnce() -> Now,
    ) -> Reserved {
        let Applicant { who, member, limit } = applicant;
        let mut state = self.state.lock();
        let unconfirmed = state.unconfirmed(topic);
        state.numbers += 1;
        let reservation = state.numbers;
        let wish = Request { user: &member.id, limit, unconfirmed, reservation };
        let claim = match state.claims.join(topic, wish, &Union(roster)) {
            Reserve::Yes => return Reserved::Free,
            Reserve::Full => return Reserved::None,
            Reserve::Claimed(claim) => claim,
        };
        let stage = Stage::Place { reservation, member: member.clone(), limit };
        let newcomer = Newcomer { who, asked: true };
        self.applicants.fetch_add(1, Relaxed);
        let _ = self.begin(&mut state, topic, newcomer, stage, now() + PEER_TIMEOUT);
        Reserved::Claimed(claim)
    }

    /// A subscription counts, and waits until the peers know of it: `acks` are of the channel's first
    /// one; those after it wait with it. None if there is nothing to wait for; whether the timer has
    /// to be told.
    pub(crate) fn await_interest(
        &self,
        _: Locked<'_>,
        topic: &Topic,
        newcomer: Newcomer,
        acks: AckHandles,
        now: impl FnOnce() -> Now,
    ) -> Option<bool> {
        if acks.is_empty() && self.is_idle() {
            return None;
        }
        let mut state = self.state.lock();
        let first = (!acks.is_empty()).then(|| {
            state.numbers += 1;
            let number = state.numbers;
            state.told.push_back((number, topic.clone()));
            Interest { number, acks, until: now() + PEER_TIMEOUT }
        });
        let known = || state.topics.get(topic)?.interest.as_ref();
        let until = first.as_ref().or_else(known)?.until;
        let wakes = self.begin(&mut state, topic, newcomer, Stage::Interest, until);
        if let Some(joining) = state.topics.get_mut(topic).filter(|_| first.is_some()) {
            joining.interest = first;
        }
        Some(wakes)
    }

    /// A subscription counts, and waits for the channel's last event, which is being fetched. True if
    /// the timer has to be told.
    pub(crate) fn await_last_event(
        &self,
        _: Locked<'_>,
        topic: &Topic,
        who: ConnectionRef,
        now: Now,
    ) -> bool {
        let (newcomer, until) = (Newcomer { who, asked: true }, now + LAST_EVENT_TIMEOUT);
        self.begin(&mut self.state.lock(), topic, newcomer, Stage::LastEvent, until)
    }

    /// A client asks for a subscription that it has already. If that waits, it is told in time; false
    /// if it does not.
    pub(crate) fn ask_again(&self, _: Locked<'_>, topic: &Topic, who: ConnectionRef) -> bool {
        if self.is_idle() {
            return false;
        }
        let mut state = self.state.lock();
        let joins = state.topics.get_mut(topic).map(|joining| &mut joining.joins);
        let join = joins.into_iter().flatten().find(|join| join.newcomer.who == who);
        join.map(|join| join.newcomer.asked = true).is_some()
    }

    /// Whether a connection, for which its shard has a subscription to the channel, has no place
    /// there, or not yet.
    pub(crate) fn has_no_place(&self, topic: &Topic, who: ConnectionRef) -> bool {
        if self.applicants() == 0 {
            return false;
        }
        let state = self.state.lock();
        let mut joins = state.topics.get(topic).into_iter().flat_map(|joining| &joining.joins);
        joins.any(|join| join.newcomer.who == who && join.is_without_place())
    }

    /// A connection leaves a channel.
    pub(crate) fn leave(&self, _: Locked<'_>, topic: &Topic, who: ConnectionRef) -> Departure {
        if self.is_idle() {
            return Departure::Counted;
        }
        let mut state = self.state.lock();
        let Some(join) = self.end(&mut state, topic, |join| join.newcomer.who == who) else {
            return Departure::Counted;
        };
        match join.stage {
            Stage::Place { reservation, .. } => state
                .claims
                .cancel(topic, reservation)
                .map_or(Departure::Refused, Departure::Claimed),
            Stage::Refused => Departure::Refused,
            Stage::Interest | Stage::LastEvent => Departure::Counted,
        }
    }

    /// A shard hears of a refusal; false if the connection has left since, or tries again.
    pub(crate) fn take_refusal(&self, topic: &Topic, who: ConnectionRef) -> bool {
        let refused =
            |join: &Join| join.newcomer.who == who && matches!(join.stage, Stage::Refused);
        self.end(&mut self.state.lock(), topic, refused).is_some()
    }

    /// The next claim of a channel that is decided, if there is one.
    pub(crate) fn decide_place(
        &self,
        _: Locked<'_>,
        topic: &Topic,
        roster: &Roster,
    ) -> Option<Decided> {
        let mut state = self.state.lock();
        loop {
            let Decision { reservation: decided, granted, settled } =
                state.claims.decide(topic, &Union(roster))?;
            let is_it = |join: &Join| matches!(join.stage, Stage::Place { reservation, .. } if reservation == decided);
            let joins = state.topics.get_mut(topic).map(|joining| &mut joining.joins);
            let Some(join) = joins.into_iter().flatten().find(|join| is_it(join)) else { continue };
            let Stage::Place { member, limit, .. } = join.stage.clone() else { continue };
            let who = join.newcomer.who;
            if granted {
                self.end(&mut state, topic, is_it);
            } else {
                join.stage = Stage::Refused;
                join.until = Now::MAX;
            }
            return Some(Decided { who, member, limit, granted, settled });
        }
    }

    /// Those of a channel who need not wait any longer for what they count for already: for the
    /// peers, if those know or time is over; for the last event if it `is_fetched`, or time is over.
    pub(crate) fn pass(
        &self,
        _: Locked<'_>,
        topic: &Topic,
        now: impl Fn() -> Now,
        is_fetched: bool,
    ) -> Vec<Passed> {
        let mut state = self.state.lock();
        let Some(joining) = state.topics.get_mut(topic) else { return Vec::new() };
        let is_over = |interest: &Interest| interest.is_acknowledged() || interest.until <= now();
        let is_known = joining.interest.as_ref().is_none_or(is_over);
        if is_known {
            joining.interest = None;
        }
        let mut passed = Vec::new();
        joining.joins.retain(|join| {
            let needs_last_event = match join.stage {
                Stage::Interest if is_known => true,
                Stage::LastEvent if is_fetched || join.until <= now() => false,
                _ => return true,
            };
            passed.push(Passed { newcomer: join.newcomer, needs_last_event });
            false
        });
        state.tidy(topic);
        self.waiting.fetch_sub(passed.len(), Relaxed);
        passed
    }

    /// The channels whose first subscribers the peers know now. Streams are acknowledged in order, so
    /// those behind one that goes on do so, too, or soon will not.
    pub(crate) fn acknowledged(&self) -> Vec<Topic> {
        if self.is_idle() {
            return Vec::new();
        }
        let mut over = Vec::new();
        let mut state = self.state.lock();
        while let Some((number, topic)) = state.told.front() {
            let interest = state.topics.get(topic).and_then(|joining| joining.interest.as_ref());
            let interest = interest.filter(|interest| interest.number == *number);
            if interest.is_some_and(|interest| !interest.is_acknowledged()) {
                break;
            }
            let is_there = interest.is_some();
            over.extend(state.told.pop_front().filter(|_| is_there).map(|(_, topic)| topic));
        }
        over
    }

    /// When somebody has waited for long enough; whoever asks looks then.
    pub(crate) fn deadline(&self) -> Option<Now> {
        let mut state = self.state.lock();
        state.alarm = state.deadlines.peek().map(|Reverse((until, _))| *until);
        state.alarm
    }

    /// The channels where somebody has waited for long enough. Claims among them, and all that are as
    /// old, are decided by what is known; whoever has not answered them is waited for no more until
    /// it does.
    pub(crate) fn expire(&self, now: Now) -> Vec<Topic> {
        let mut state = self.state.lock();
        let (mut expired, mut later, mut hurried) = (Vec::new(), Vec::new(), 0);
        while let Some(Reverse((until, _))) = state.deadlines.peek() {
            if *until > now {
                break;
            }
            let Some(Reverse((until, topic))) = state.deadlines.pop() else { break };
            if state.is_paused(&topic, until, now) {
                later.push(topic);
                continue;
            }
            hurried += state.hurry(&topic, now);
            expired.push(topic);
        }
        state.deadlines.extend(later.into_iter().map(|topic| Reverse((now + LAG, topic))));
        self.unanswered.fetch_add(hurried, Relaxed);
        if hurried > 0 {
            // The peers that are late now let other claims be decided, too.
            expired.extend(state.claims.waiting());
        }
        expired.sort();
        expired.dedup();
        expired
    }

    /// The channels where somebody waits for a place, in a fixed order.
    pub(crate) fn applied_for(&self) -> Vec<Topic> {
        if self.applicants() == 0 {
            return Vec::new();
        }
        let mut waiting = self.state.lock().claims.waiting();
        waiting.sort();
        waiting
    }

    /// How many new members of this node some peer may not know.
    pub(crate) fn unconfirmed(&self, topic: &Topic) -> usize {
        self.state.lock().unconfirmed(topic)
    }

    /// The peers were told of a new member.
    pub(crate) fn told_member(&self, _: Locked<'_>, topic: &Topic, acks: AckHandles) {
        self.state.lock().unconfirmed.entry(topic.clone()).or_default().add(acks);
    }

    /// Forgets the channels whose members all peers know.
    pub(crate) fn forget_confirmed(&self) {
        let mut state = self.state.lock();
        let JoinTable { claims, unconfirmed, .. } = &mut *state;
        unconfirmed.retain(|_, members| members.count(|peer| claims.is_late(peer.0)) > 0);
    }

    /// A peer has told something about a place; the answer.
    pub(crate) fn hear(
        &self,
        _: Locked<'_>,
        from: NodeId,
        topic: &Topic,
        message: ReservationMessage,
    ) -> Option<ReservationMessage> {
        self.state.lock().claims.hear(from.0, topic, message)
    }

    /// A peer is there: what it is to be told.
    pub(crate) fn up(&self, node: NodeId) -> Vec<(Topic, ReservationMessage)> {
        let mut state = self.state.lock();
        state.claims.up(node.0);
        state.ours()
    }

    /// Our stream to a peer begins anew: what it is to be told.
    pub(crate) fn ours(&self) -> Vec<(Topic, ReservationMessage)> {
        self.state.lock().ours()
    }

    /// A peer tells everything anew: what it is to be told.
    pub(crate) fn restarted(&self, node: NodeId) -> Vec<(Topic, ReservationMessage)> {
        let mut state = self.state.lock();
        state.claims.restarted(node.0);
        state.ours()
    }

    /// A peer is gone.
    pub(crate) fn down(&self, node: NodeId) {
        self.state.lock().claims.down(node.0);
    }

    /// Somebody waits. True if the timer has to be told.
    #[must_use]
    fn begin(
        &self,
        state: &mut JoinTable,
        topic: &Topic,
        newcomer: Newcomer,
        stage: Stage,
        until: Now,
    ) -> bool {
        self.waiting.fetch_add(1, Relaxed);
        state.begin(topic, Join { newcomer, stage, until })
    }

    /// Takes a join out, by what fits.
    fn end(
        &self,
        state: &mut JoinTable,
        topic: &Topic,
        fits: impl Fn(&Join) -> bool,
    ) -> Option<Join> {
        let joining = state.topics.get_mut(topic)?;
        let at = joining.joins.iter().position(fits)?;
        let join = joining.joins.remove(at);
        if !joining.joins.iter().any(|join| matches!(join.stage, Stage::Interest)) {
            // With the last one the wait is over: the next subscriber is the first again.
            joining.interest = None;
        }
        state.tidy(topic);
        self.waiting.fetch_sub(1, Relaxed);
        self.applicants.fetch_sub(join.is_without_place().into(), Relaxed);
        Some(join)
    }
}

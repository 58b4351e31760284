//! What is known of the joins, behind the one lock of [`Joins`](super::Joins).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cluster::Now;
use foldhash::fast::RandomState;

use super::Newcomer;
use crate::registry::{Member, NodeId};
use crate::replication::{AckHandle, AckHandles, Unconfirmed};
use crate::reservations::{ReservationId, ReservationMessage, Reservations};
use crate::topic::Topic;

/// Whoever looks so much later than it wanted to was paused itself, and reads what has come meanwhile
/// before it holds others for late.
pub(super) const LAG: Duration = Duration::from_millis(10);

/// For what a join waits.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// The last places of a presence channel: peers have to answer. It does not count yet.
    Place { reservation: ReservationId, member: Arc<Member>, limit: usize },
    /// Peers have to know that this node has subscribers of the channel.
    Interest,
    /// The channel's last event is fetched.
    LastEvent,
    /// There is no place. The shard has not heard of it.
    Refused,
}

#[derive(Clone, Debug)]
pub(super) struct Join {
    pub(super) newcomer: Newcomer,
    pub(super) stage: Stage,
    /// When it does not wait any longer.
    pub(super) until: Now,
}

/// The first subscriber's interest, which all of a channel's joins wait for.
#[derive(Debug)]
pub(super) struct Interest {
    pub(super) number: u64,
    pub(super) acks: AckHandles,
    pub(super) until: Now,
}

/// One channel's joins, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Joining {
    pub(super) joins: Vec<Join>,
    pub(super) interest: Option<Interest>,
}

pub(super) struct JoinTable {
    pub(super) topics: HashMap<Topic, Joining, RandomState>,
    /// When joins have waited for long enough; some may have ended.
    pub(super) deadlines: BinaryHeap<Reverse<(Now, Topic)>>,
    /// When the timer looks by itself, as it was told at last.
    pub(super) alarm: Option<Now>,
    /// Interests in the order in which they were told; some may have ended.
    pub(super) told: VecDeque<(u64, Topic)>,
    pub(super) numbers: u64,
    pub(super) claims: Reservations<Topic>,
    /// New members of this node, by channel. Kept until a heartbeat finds that all peers know them.
    pub(super) unconfirmed: HashMap<Topic, Unconfirmed, RandomState>,
}

impl Interest {
    /// Whether all peers know.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.acks.iter().all(AckHandle::is_settled)
    }
}

impl Join {
    pub(super) fn is_without_place(&self) -> bool {
        matches!(self.stage, Stage::Place { .. } | Stage::Refused)
    }
}

impl JoinTable {
    pub(super) fn new(me: u64) -> Self {
        JoinTable {
            topics: HashMap::default(),
            deadlines: BinaryHeap::new(),
            alarm: None,
            told: VecDeque::new(),
            numbers: 0,
            claims: Reservations::new(me),
            unconfirmed: HashMap::default(),
        }
    }

    pub(super) fn unconfirmed(&mut self, topic: &Topic) -> usize {
        let JoinTable { claims, unconfirmed, .. } = self;
        let is_late = |peer: NodeId| claims.is_late(peer.0);
        unconfirmed.get_mut(topic).map_or(0, |members| members.count(is_late))
    }

    /// Our claims, in a fixed order.
    pub(super) fn ours(&self) -> Vec<(Topic, ReservationMessage)> {
        let mut ours = self.claims.ours();
        ours.sort_by(|(a, _), (b, _)| a.cmp(b));
        ours
    }

    /// Whether a deadline is looked at so late that we were paused ourselves: those who wait for
    /// peers wait a moment longer, once.
    pub(super) fn is_paused(&mut self, topic: &Topic, until: Now, now: Now) -> bool {
        if until + LAG >= now {
            return false;
        }
        let Some(joining) = self.topics.get_mut(topic) else { return false };
        let mut paused = false;
        for join in joining.joins.iter_mut().filter(|join| join.until == until) {
            if matches!(join.stage, Stage::Place { .. } | Stage::Interest) {
                join.until = now + LAG;
                paused = true;
            }
        }
        if let Some(interest) = joining.interest.as_mut().filter(|_| paused)
            && interest.until == until
        {
            interest.until = now + LAG;
        }
        paused
    }

    /// Has the claims of a channel that have waited for long enough decided by what is known; how
    /// many that were.
    pub(super) fn hurry(&mut self, topic: &Topic, now: Now) -> u64 {
        let JoinTable { topics, claims, .. } = self;
        let joins = topics.get(topic).into_iter().flat_map(|joining| &joining.joins);
        let late = joins.filter(|join| join.until <= now).filter(|join| match join.stage {
            Stage::Place { reservation, .. } => claims.hurry(topic, reservation),
            _ => false,
        });
        late.count() as u64
    }

    /// Somebody waits until a time. True if the timer has to be told, as it would look too late.
    #[must_use]
    pub(super) fn begin(&mut self, topic: &Topic, join: Join) -> bool {
        let until = join.until;
        self.deadlines.push(Reverse((until, topic.clone())));
        self.topics.entry(topic.clone()).or_default().joins.push(join);
        self.alarm.is_none_or(|alarm| until < alarm)
    }

    pub(super) fn tidy(&mut self, topic: &Topic) {
        let is_empty = |joining: &Joining| joining.joins.is_empty() && joining.interest.is_none();
        if self.topics.get(topic).is_some_and(is_empty) {
            self.topics.remove(topic);
        }
        if self.topics.is_empty() {
            // All of them have ended.
            self.deadlines.clear();
            self.told.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::ShardId;
    use crate::topic::{ConnectionId, ConnectionRef};

    #[test]
    fn the_timer_is_told_of_deadlines_that_are_sooner_than_its_own() {
        let mut table = JoinTable::new(1);
        let topic = Topic::subscribers(&"a".into(), "b".into());
        let id = ConnectionId { index: 0, generation: 0 };
        let newcomer = Newcomer { who: ConnectionRef { shard: ShardId(0), id }, asked: true };
        let mut begins = |alarm: Option<u64>, until: u64| {
            table.alarm = alarm.map(Now::from_millis);
            let until = Now::from_millis(until);
            table.begin(&topic, Join { newcomer, stage: Stage::Interest, until })
        };
        assert!(begins(None, 50), "it sleeps");
        assert!(begins(Some(50), 49));
        assert!(!begins(Some(50), 50) && !begins(Some(50), 51));
    }
}

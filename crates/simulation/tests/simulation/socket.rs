//! A client, which checks everything that it is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use channels::registry::{Member, ShardId};
use channels::{ConnectionId, ConnectionRef};
use cluster::Incarnation;
use protocol::socket_id::SocketId;

use crate::Channel;
use crate::frame::{Event, Said};
use crate::ledger::{Ledger, Moment};
use crate::load::BALLAST_SOCKET;

/// The number of a socket within its node.
pub(crate) type SocketNumber = u32;

/// Its place in the shard's table is its number, which no other one ever gets.
pub(crate) struct Socket {
    pub(crate) number: SocketNumber,
    pub(crate) shard: ShardId,
    pub(crate) subscriptions: BTreeMap<Channel, Subscription>,
    /// The channels of users who are watched, and whether those are online, once that was told.
    pub(crate) watches: BTreeMap<Channel, Option<bool>>,
}

/// From when the client asks.
pub(crate) struct Subscription {
    pub(crate) member: Option<Arc<Member>>,
    /// Since the client was told that it had succeeded.
    pub(crate) told: Option<Told>,
}

/// What a client knows of a channel.
pub(crate) struct Told {
    since: Moment,
    /// It was told before the peers knew of it, so it may miss something.
    excused: bool,
    /// How far each publisher was when the client was told.
    floors: BTreeMap<Incarnation, u64>,
    /// The last number of each publisher.
    last: BTreeMap<Incarnation, u64>,
    pub(crate) roster: BTreeSet<Box<str>>,
    /// How many are subscribed.
    pub(crate) count: Option<u64>,
}

impl Socket {
    pub(crate) fn new(number: SocketNumber, shard: ShardId) -> Self {
        Socket { number, shard, subscriptions: BTreeMap::new(), watches: BTreeMap::new() }
    }

    /// As the channels know it.
    pub(crate) fn who(&self) -> ConnectionRef {
        let id = ConnectionId { index: self.number, generation: 1 };
        ConnectionRef { shard: self.shard, id }
    }

    /// Whether it needs a slot.
    pub(crate) fn has_seat(&self) -> bool {
        self.number != BALLAST_SOCKET
    }

    /// As clients and other nodes know it.
    pub(crate) fn id(&self, node: Incarnation) -> SocketId {
        SocketId(node.0, self.number.into())
    }
}

impl Subscription {
    /// The client is told that its subscription has succeeded; perhaps again.
    pub(crate) fn succeed(
        &mut self,
        me: Incarnation,
        channel: &Channel,
        roster: BTreeSet<Box<str>>,
        excused: bool,
        ledger: &mut Ledger,
    ) {
        if let Some(member) = &self.member {
            assert!(roster.contains(&member.id), "the roster contains oneself");
        }
        if let Some(told) = &self.told {
            assert_eq!(told.roster, roster, "the roster is told again as it is known");
            return;
        }
        let floor = |publisher| (publisher, ledger.published(publisher, channel));
        let floors = ledger.publishers(me).into_iter().map(floor).collect();
        let since = ledger.moment();
        ledger.summary.succeeded += 1;
        ledger.summary.unexcused += u64::from(!excused);
        let last = BTreeMap::new();
        self.told = Some(Told { since, excused, floors, last, roster, count: None });
    }
}

impl Told {
    /// A frame comes to a socket of the node `me`.
    pub(crate) fn hear(
        &mut self,
        me: Incarnation,
        channel: &Channel,
        said: &Said,
        ledger: &mut Ledger,
    ) {
        match said {
            Said::Event(event) => {
                self.check_open(me, channel, event, ledger);
                self.hear_event(me, event, ledger);
            }
            Said::Added(id) => assert!(self.roster.insert(id.clone()), "{id} is added twice"),
            Said::Removed(id) => assert!(self.roster.remove(id), "{id} is removed twice"),
            Said::Count(count) => self.count = Some(*count),
        }
    }

    /// Whoever was to be closed does not hear what its closer sent after that.
    fn check_open(&self, me: Incarnation, channel: &Channel, event: &Event, ledger: &Ledger) {
        for (by, at, number) in ledger.terminations(channel) {
            let is_after = by == event.publisher && event.number > number;
            let was_open = is_after && self.would_have_heard(me, by, at, ledger);
            assert!(!was_open, "{event:?} comes to a client of {me} that {by} had closed");
        }
    }

    fn hear_event(&mut self, me: Incarnation, event: &Event, ledger: &mut Ledger) {
        let Event { publisher, number, user_id } = event;
        let last = self.last.get(publisher).copied().unwrap_or(0);
        assert!(*number > last, "event {number} of {publisher} comes after {last}");
        let had = self.floor(*publisher).max(last);
        if *number > had + 1 {
            assert!(!self.misses_nothing(me, *publisher, ledger), "{event:?} after {had} at {me}");
            ledger.summary.missing += number - had - 1;
        }
        self.last.insert(*publisher, *number);
        ledger.summary.received += 1;
        if let Some(user_id) = user_id {
            assert!(self.roster.contains(user_id), "a client event of {user_id}, who is no member");
        }
    }

    /// The client was sent an event of before it came, so it does not come again; perhaps the
    /// client knew it.
    pub(crate) fn had(&mut self, event: &Event) {
        let last = self.last.entry(event.publisher).or_default();
        *last = event.number.max(*last);
    }

    /// The client sent this event, so it does not come back.
    pub(crate) fn sent(&mut self, event: &Event) {
        self.last.insert(event.publisher, event.number);
    }

    /// In the end, the last event must have come.
    pub(crate) fn check_end(
        &self,
        me: Incarnation,
        channel: &Channel,
        publisher: Incarnation,
        ledger: &Ledger,
    ) {
        let published = ledger.published(publisher, channel);
        let last = self.last.get(&publisher).copied().unwrap_or(0).max(self.floor(publisher));
        assert!(
            last == published || !self.misses_nothing(me, publisher, ledger),
            "{me} has {last} of {published} events of {publisher} to {channel}"
        );
    }

    /// Whether something that `publisher` sent at a moment must have come.
    pub(crate) fn would_have_heard(
        &self,
        me: Incarnation,
        publisher: Incarnation,
        at: Moment,
        ledger: &Ledger,
    ) -> bool {
        self.since < at && self.misses_nothing(me, publisher, ledger)
    }

    fn floor(&self, publisher: Incarnation) -> u64 {
        self.floors.get(&publisher).copied().unwrap_or(0)
    }

    fn misses_nothing(&self, me: Incarnation, publisher: Incarnation, ledger: &Ledger) -> bool {
        !self.excused
            && (ledger.strict || self.floors.contains_key(&publisher))
            && ledger.undisturbed_since(me, publisher, self.since)
    }
}

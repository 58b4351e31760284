//! A client, which checks everything that it is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use channels::registry::{Entry, Member, ShardId};
use cluster::Incarnation;

use crate::Channel;
use crate::ledger::{Ledger, Moment};

/// The number of a socket within its node.
pub(crate) type SocketNumber = u64;

pub(crate) struct Socket {
    pub(crate) shard: ShardId,
    pub(crate) subscriptions: BTreeMap<Channel, Subscription>,
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
}

/// What a frame says.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) publisher: Incarnation,
    pub(crate) number: u64,
    /// Whose client event it is.
    pub(crate) user_id: Option<Box<str>>,
}

/// What an event's frame begins with.
const EVENT: u8 = b'E';

impl Frame {
    pub(crate) fn encode(&self) -> String {
        let user_id = self.user_id.as_deref().unwrap_or_default();
        format!("{} {} {} {user_id}", char::from(EVENT), self.publisher.0, self.number)
    }

    pub(crate) fn decode(frame: &[u8]) -> Frame {
        let mut fields = std::str::from_utf8(frame).unwrap().splitn(4, ' ').skip(1);
        let publisher = Incarnation(fields.next().unwrap().parse().unwrap());
        let number = fields.next().unwrap().parse().unwrap();
        let user_id = fields.next().filter(|id| !id.is_empty()).map(Into::into);
        Frame { publisher, number, user_id }
    }
}

/// What a client is sent after its welcome.
pub(crate) enum Heard {
    Event(Frame),
    Added(Box<str>),
    Removed(Box<str>),
}

impl Heard {
    /// Events are the simulation's own; what the channels say is a WebSocket frame.
    pub(crate) fn parse(frame: &[u8]) -> Self {
        if frame[0] == EVENT {
            return Heard::Event(Frame::decode(frame));
        }
        let (frame, _) = websocket::client::parse(frame).unwrap().expect("a whole frame");
        let said: serde_json::Value = serde_json::from_slice(frame.payload).unwrap();
        let data: serde_json::Value = serde_json::from_str(said["data"].as_str().unwrap()).unwrap();
        let id = data["user_id"].as_str().unwrap().into();
        match said["event"].as_str() {
            Some("pusher_internal:member_added") => Heard::Added(id),
            Some("pusher_internal:member_removed") => Heard::Removed(id),
            other => panic!("{other:?} is said"),
        }
    }
}

/// The ids of an entry's members.
pub(crate) fn ids(entry: &Entry) -> BTreeSet<Box<str>> {
    entry.roster().members().map(|member| member.id.clone()).collect()
}

impl Subscription {
    /// The client is told that its subscription has succeeded; perhaps again.
    pub(crate) fn succeed(
        &mut self,
        me: Incarnation,
        channel: &Channel,
        roster: &[Arc<Member>],
        excused: bool,
        ledger: &mut Ledger,
    ) {
        let roster: BTreeSet<Box<str>> = roster.iter().map(|member| member.id.clone()).collect();
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
        self.told = Some(Told { since, excused, floors, last: BTreeMap::new(), roster });
    }
}

impl Told {
    /// A frame comes to a socket of the node `me`, or goes past it if the client sent it.
    pub(crate) fn take(
        &mut self,
        me: Incarnation,
        heard: &Heard,
        is_sender: bool,
        ledger: &mut Ledger,
    ) {
        match heard {
            Heard::Event(frame) if is_sender => self.sent(frame),
            Heard::Event(frame) => self.hear(me, frame, ledger),
            Heard::Added(id) => {
                assert!(self.roster.insert(id.clone()), "{id} is added twice");
            }
            Heard::Removed(id) => {
                assert!(self.roster.remove(id), "{id} is removed twice");
            }
        }
    }

    /// An event comes to a socket of the node `me`.
    pub(crate) fn hear(&mut self, me: Incarnation, frame: &Frame, ledger: &mut Ledger) {
        let Frame { publisher, number, user_id } = frame;
        let last = self.last.get(publisher).copied().unwrap_or(0);
        assert!(*number > last, "event {number} of {publisher} comes after {last}");
        let had = self.floor(*publisher).max(last);
        if *number > had + 1 {
            assert!(!self.misses_nothing(me, *publisher, ledger), "{frame:?} after {had} at {me}");
            ledger.summary.missing += number - had - 1;
        }
        self.last.insert(*publisher, *number);
        ledger.summary.received += 1;
        if let Some(user_id) = user_id {
            assert!(self.roster.contains(user_id), "a client event of {user_id}, who is no member");
        }
    }

    /// The client sent this event, so it does not come back.
    pub(crate) fn sent(&mut self, frame: &Frame) {
        self.last.insert(frame.publisher, frame.number);
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

    fn floor(&self, publisher: Incarnation) -> u64 {
        self.floors.get(&publisher).copied().unwrap_or(0)
    }

    fn misses_nothing(&self, me: Incarnation, publisher: Incarnation, ledger: &Ledger) -> bool {
        !self.excused
            && (ledger.strict || self.floors.contains_key(&publisher))
            && ledger.undisturbed_since(me, publisher, self.since)
    }
}

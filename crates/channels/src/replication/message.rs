//! The entries of a stream: a tag, then the fields in a fixed order.
//!
//! A later version may append fields, which we do not read, and add tags, which we skip.

use std::sync::Arc;

use crate::registry::Member;
use bytes::Bytes;

use crate::replication::codec::{Malformed, Reader, Writer};

const SUBSCRIPTIONS: u8 = 1;
const JOINED: u8 = 2;
const LEFT: u8 = 3;
const EVERYTHING: u8 = 4;
const WHOLE: u8 = 5;
const EVENT: u8 = 6;
const CACHED: u8 = 7;
const CLOSE: u8 = 8;
const CONNECTIONS: u8 = 9;
const LEASE: u8 = 10;
const RATE_WISH: u8 = 11;
const RATE_ANSWER: u8 = 12;
const MISSED: u8 = 14;
const SERVING: u8 = 15;
const CLAIM: u8 = 16;
const PART: u8 = 17;
const WITHDRAWN: u8 = 18;

/// When an event was published to a cache channel: of two, all nodes keep the one with the higher
/// stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Milliseconds since 1970 by the publishing node's clock, and always more than the stamp of the
    /// event that it replaced there.
    pub millis: u64,
    /// The incarnation that published it, which makes stamps distinct.
    pub node: u64,
}

/// A channel of an app, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelName<'a> {
    /// The app's id.
    pub app: &'a str,
    /// The channel's name.
    pub channel: &'a str,
}

/// A frame for everybody who is subscribed to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFrame {
    /// The numbers of the socket id that does not get it.
    pub except: Option<(u64, u64)>,
    /// The whole WebSocket frame.
    pub frame: Bytes,
}

/// What makes an event the last one of a cache channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastEventInfo<'a> {
    /// The event's data, as a JSON literal.
    pub data: &'a str,
    /// Which of two events is the later one.
    pub stamp: Stamp,
    /// Milliseconds until it expires.
    pub ttl: u64,
    /// Whether it was just published; otherwise it is part of a snapshot, and not delivered.
    pub fresh: bool,
}

/// A part of an app's budget per second is wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateWish {
    /// What the answer is to be called.
    pub request: u64,
    /// Whether it is for reading requests; otherwise for published events.
    pub reads: bool,
    /// How much is needed now.
    pub least: u32,
    /// How much would be taken.
    pub most: u32,
}

/// The answer to a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateAnswer {
    /// As in the wish.
    pub request: u64,
    /// What is granted; 0 if there is not enough.
    pub granted: u32,
    /// After how many milliseconds there will be.
    pub wait_ms: u64,
}

/// What a node tells its peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerMessage<'a> {
    /// So many subscriptions to a channel.
    Subscriptions(ChannelName<'a>, u32),
    /// The first connection of a member came.
    Joined(ChannelName<'a>, Arc<Member>),
    /// The last connection of the member with this id went.
    Left(ChannelName<'a>, &'a str),
    /// Members that the next [`Everything`](Self::Everything) about the channel does not repeat.
    Part(ChannelName<'a>, Vec<Arc<Member>>),
    /// All that the node holds of a channel: subscriptions and members.
    Everything(ChannelName<'a>, u32, Vec<Arc<Member>>),
    /// The snapshot is whole: what was not mentioned since the stream began is not there.
    Whole,
    /// An event; to the peers that have subscribers.
    Event(ChannelName<'a>, EventFrame),
    /// An event on a cache channel; to all peers.
    Cached(ChannelName<'a>, EventFrame, LastEventInfo<'a>),
    /// Close everybody who is subscribed to a channel, with this code and reason.
    Close(ChannelName<'a>, u16, &'a str),
    /// So many connections of the app with this id.
    Connections(&'a str, u32),
    /// About quotas.
    Lease(crate::leases::LeaseMessage),
    /// To the node that deals out the app's budgets.
    RateWish(&'a str, RateWish),
    /// From it.
    RateAnswer(RateAnswer),
    /// The node has served for so many milliseconds.
    Serving(u64),
    /// The node's configuration switches off the apps with these ids, and no others.
    Withdrawn(Vec<Arc<str>>),
    /// Somebody found a cache channel empty; to the node that announces the channel.
    Missed(ChannelName<'a>),
    /// About places in a presence channel.
    Claim(ChannelName<'a>, crate::reservations::ReservationMessage),
    /// Something that a later version tells.
    Unknown(u8),
}

impl<'a> PeerMessage<'a> {
    /// The channel that it is a fact about.
    pub fn topic(&self) -> Option<ChannelName<'a>> {
        match self {
            PeerMessage::Subscriptions(topic, _)
            | PeerMessage::Joined(topic, _)
            | PeerMessage::Left(topic, _)
            | PeerMessage::Everything(topic, ..) => Some(*topic),
            _ => None,
        }
    }

    /// The message as an entry.
    pub fn encode(&self) -> Bytes {
        let mut to = Writer::new(self.tag(), self.size());
        match self {
            PeerMessage::Subscriptions(topic, count) => {
                to.topic(topic);
                to.number(u64::from(*count));
            }
            PeerMessage::Joined(topic, member) => {
                to.topic(topic);
                to.member(member);
            }
            PeerMessage::Left(topic, user_id) => {
                to.topic(topic);
                to.text(user_id);
            }
            PeerMessage::Everything(topic, subscriptions, members) => {
                to.topic(topic);
                to.number(u64::from(*subscriptions));
                to.members(members);
            }
            PeerMessage::Part(topic, members) => {
                to.topic(topic);
                to.members(members);
            }
            PeerMessage::Event(topic, event) => {
                to.topic(topic);
                to.event(event);
            }
            PeerMessage::Cached(topic, event, LastEventInfo { data, stamp, ttl, fresh }) => {
                to.topic(topic);
                to.event(event);
                to.text(data);
                for number in [stamp.millis, stamp.node, *ttl, u64::from(*fresh)] {
                    to.number(number);
                }
            }
            PeerMessage::Close(topic, code, reason) => {
                to.topic(topic);
                to.number(u64::from(*code));
                to.text(reason);
            }
            PeerMessage::Connections(app, count) => {
                to.text(app);
                to.number(u64::from(*count));
            }
            PeerMessage::Lease(message) => to.lease(message),
            PeerMessage::RateWish(app, RateWish { request, reads, least, most }) => {
                to.text(app);
                for number in [*request, (*reads).into(), (*least).into(), (*most).into()] {
                    to.number(number);
                }
            }
            PeerMessage::RateAnswer(RateAnswer { request, granted, wait_ms }) => {
                for number in [*request, u64::from(*granted), *wait_ms] {
                    to.number(number);
                }
            }
            PeerMessage::Serving(millis) => to.number(*millis),
            PeerMessage::Withdrawn(apps) => {
                to.number(apps.len() as u64);
                apps.iter().for_each(|app| to.text(app));
            }
            PeerMessage::Missed(topic) => to.topic(topic),
            PeerMessage::Claim(topic, claim) => {
                to.topic(topic);
                to.claim(claim);
            }
            PeerMessage::Whole | PeerMessage::Unknown(_) => {}
        }
        to.0.into()
    }

    fn tag(&self) -> u8 {
        match self {
            PeerMessage::Subscriptions(..) => SUBSCRIPTIONS,
            PeerMessage::Joined(..) => JOINED,
            PeerMessage::Left(..) => LEFT,
            PeerMessage::Everything(..) => EVERYTHING,
            PeerMessage::Whole => WHOLE,
            PeerMessage::Event(..) => EVENT,
            PeerMessage::Cached(..) => CACHED,
            PeerMessage::Close(..) => CLOSE,
            PeerMessage::Connections(..) => CONNECTIONS,
            PeerMessage::Lease(_) => LEASE,
            PeerMessage::RateWish(..) => RATE_WISH,
            PeerMessage::RateAnswer(_) => RATE_ANSWER,
            PeerMessage::Serving(_) => SERVING,
            PeerMessage::Missed(_) => MISSED,
            PeerMessage::Claim(..) => CLAIM,
            PeerMessage::Part(..) => PART,
            PeerMessage::Withdrawn(_) => WITHDRAWN,
            PeerMessage::Unknown(tag) => *tag,
        }
    }

    /// About how many bytes follow the tag, so that most messages are allocated once.
    fn size(&self) -> usize {
        let variable = match self {
            PeerMessage::Event(topic, event) => {
                topic.app.len() + topic.channel.len() + event.frame.len()
            }
            PeerMessage::Cached(topic, event, kept) => {
                topic.app.len() + topic.channel.len() + event.frame.len() + kept.data.len()
            }
            PeerMessage::Everything(_, _, members) | PeerMessage::Part(_, members) => {
                128 * members.len()
            }
            _ => 64,
        };
        variable + 64
    }
}

impl<'a> PeerMessage<'a> {
    /// Reads an entry. Frames are shared with it, not copied.
    ///
    /// # Errors
    ///
    /// What is wrong with the first field that cannot be read.
    pub fn decode(entry: &'a Bytes) -> Result<Self, Malformed> {
        let (tag, fields) = entry.split_first().ok_or(Malformed::Short("tag"))?;
        let mut from = Reader(fields);
        if *tag == WHOLE {
            return Ok(PeerMessage::Whole);
        }
        if *tag == CONNECTIONS {
            return Ok(PeerMessage::Connections(from.text("app")?, from.small("count")?));
        }
        match *tag {
            LEASE => {
                return Ok(from.lease()?.map_or(PeerMessage::Unknown(LEASE), PeerMessage::Lease));
            }
            RATE_WISH => return Ok(PeerMessage::RateWish(from.text("app")?, from.rate_wish()?)),
            WITHDRAWN => {
                let count = from.number("number of apps")?;
                let apps = (0..count).map(|_| from.text("app").map(Arc::from));
                return Ok(PeerMessage::Withdrawn(apps.collect::<Result<_, _>>()?));
            }
            SERVING => return Ok(PeerMessage::Serving(from.number("time")?)),
            RATE_ANSWER => return Ok(PeerMessage::RateAnswer(from.rate_answer()?)),
            CLAIM => {
                let topic = ChannelName { app: from.text("app")?, channel: from.text("channel")? };
                let claim = from.claim()?;
                return Ok(claim.map_or(PeerMessage::Unknown(CLAIM), |claim| {
                    PeerMessage::Claim(topic, claim)
                }));
            }
            _ => {}
        }
        if !(SUBSCRIPTIONS..=CLOSE).contains(tag) && ![MISSED, PART].contains(tag) {
            return Ok(PeerMessage::Unknown(*tag));
        }
        let topic = ChannelName { app: from.text("app")?, channel: from.text("channel")? };
        Ok(match *tag {
            SUBSCRIPTIONS => PeerMessage::Subscriptions(topic, from.small("count")?),
            JOINED => PeerMessage::Joined(topic, from.member()?),
            LEFT => PeerMessage::Left(topic, from.text("user id")?),
            EVERYTHING => PeerMessage::Everything(topic, from.small("count")?, from.members()?),
            PART => PeerMessage::Part(topic, from.members()?),
            EVENT => PeerMessage::Event(topic, from.event(entry)?),
            CACHED => {
                let event = from.event(entry)?;
                let kept = LastEventInfo {
                    data: from.text("data")?,
                    stamp: Stamp { millis: from.number("stamp")?, node: from.number("stamp")? },
                    ttl: from.number("ttl")?,
                    fresh: from.number("freshness")? != 0,
                };
                PeerMessage::Cached(topic, event, kept)
            }
            CLOSE => PeerMessage::Close(topic, from.small("code")?, from.text("reason")?),
            _ => PeerMessage::Missed(topic),
        })
    }
}

impl Writer {
    fn topic(&mut self, topic: &ChannelName<'_>) {
        self.text(topic.app);
        self.text(topic.channel);
    }

    fn members(&mut self, members: &[Arc<Member>]) {
        self.number(members.len() as u64);
        members.iter().for_each(|member| self.member(member));
    }

    fn member(&mut self, member: &Member) {
        self.text(&member.id);
        self.text(&member.id_json);
        self.optional(member.info_json.as_deref());
    }

    fn event(&mut self, event: &EventFrame) {
        self.number(u64::from(event.except.is_some()));
        if let Some((first, second)) = event.except {
            self.number(first);
            self.number(second);
        }
        self.bytes(&event.frame);
    }
}

impl Reader<'_> {
    fn members(&mut self) -> Result<Vec<Arc<Member>>, Malformed> {
        let count = self.number("number of members")?;
        (0..count).map(|_| self.member()).collect()
    }

    fn member(&mut self) -> Result<Arc<Member>, Malformed> {
        Ok(Arc::new(Member {
            id: self.text("member id")?.into(),
            id_json: self.text("member id")?.into(),
            info_json: self.optional("member info")?.map(Into::into),
        }))
    }

    fn rate_wish(&mut self) -> Result<RateWish, Malformed> {
        Ok(RateWish {
            request: self.number("request")?,
            reads: self.number("kind of budget")? != 0,
            least: self.small("wish")?,
            most: self.small("wish")?,
        })
    }

    fn rate_answer(&mut self) -> Result<RateAnswer, Malformed> {
        Ok(RateAnswer {
            request: self.number("request")?,
            granted: self.small("grant")?,
            wait_ms: self.number("wait")?,
        })
    }

    /// `entry` is what is read from; the frame shares its memory.
    fn event(&mut self, entry: &Bytes) -> Result<EventFrame, Malformed> {
        let except = match self.number("socket id")? {
            0 => None,
            _ => Some((self.number("socket id")?, self.number("socket id")?)),
        };
        Ok(EventFrame { except, frame: entry.slice_ref(self.bytes("frame")?) })
    }
}

//! Webhooks: what an event of an app looks like, and how its body is signed (K1, K2).
//! It must not know where webhooks go, nor when.

use crate::auth::Secret;
use crate::data::Data;
use crate::hex;
use crate::json::{number_into, string_into};

/// What webhooks tell of (K2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A channel has its first subscription.
    ChannelOccupied,
    /// A channel's last subscription is gone.
    ChannelVacated,
    /// A user has joined a presence channel.
    MemberAdded,
    /// A user has left a presence channel.
    MemberRemoved,
    /// A client has triggered an event.
    ClientEvent,
    /// Somebody subscribed to a cache channel that has no event to replay.
    CacheMiss,
    /// A channel has another number of subscriptions.
    SubscriptionCount,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [EventKind; 7] = [
        Self::ChannelOccupied,
        Self::ChannelVacated,
        Self::MemberAdded,
        Self::MemberRemoved,
        Self::ClientEvent,
        Self::CacheMiss,
        Self::SubscriptionCount,
    ];

    /// The name in bodies and in an app's `event_types`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChannelOccupied => "channel_occupied",
            Self::ChannelVacated => "channel_vacated",
            Self::MemberAdded => "member_added",
            Self::MemberRemoved => "member_removed",
            Self::ClientEvent => "client_event",
            Self::CacheMiss => "cache_miss",
            Self::SubscriptionCount => "subscription_count",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that happened in an app (K2).
///
/// User ids are text: the strictest backends refuse a whole webhook over a number.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A channel has its first subscription.
    ChannelOccupied {
        /// The channel.
        channel: &'a str,
    },
    /// A channel's last subscription is gone.
    ChannelVacated {
        /// The channel.
        channel: &'a str,
    },
    /// A user has joined a presence channel, with the first of its connections.
    MemberAdded {
        /// The channel.
        channel: &'a str,
        /// The user's id in its string form (W32).
        user_id: &'a str,
    },
    /// A user has left a presence channel, with the last of its connections.
    MemberRemoved {
        /// The channel.
        channel: &'a str,
        /// The user's id in its string form (W32).
        user_id: &'a str,
    },
    /// A client has triggered an event.
    ClientEvent {
        /// The channel.
        channel: &'a str,
        /// The event's name.
        event: &'a str,
        /// The event's data as it is passed on; without data, the empty string stands for it.
        data: Option<&'a Data<'a>>,
        /// Who triggered it.
        socket_id: &'a str,
        /// The user on a presence channel, in the string form of its id (W32).
        user_id: Option<&'a str>,
    },
    /// Somebody subscribed to a cache channel that has no event to replay.
    CacheMiss {
        /// The channel.
        channel: &'a str,
    },
    /// A channel has another number of subscriptions.
    SubscriptionCount {
        /// The channel.
        channel: &'a str,
        /// How many.
        count: u64,
    },
}

impl<'a> Event<'a> {
    /// What happened.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::ChannelOccupied { .. } => EventKind::ChannelOccupied,
            Self::ChannelVacated { .. } => EventKind::ChannelVacated,
            Self::MemberAdded { .. } => EventKind::MemberAdded,
            Self::MemberRemoved { .. } => EventKind::MemberRemoved,
            Self::ClientEvent { .. } => EventKind::ClientEvent,
            Self::CacheMiss { .. } => EventKind::CacheMiss,
            Self::SubscriptionCount { .. } => EventKind::SubscriptionCount,
        }
    }

    /// Where it happened.
    pub fn channel(&self) -> &'a str {
        match self {
            Self::ChannelOccupied { channel }
            | Self::ChannelVacated { channel }
            | Self::MemberAdded { channel, .. }
            | Self::MemberRemoved { channel, .. }
            | Self::ClientEvent { channel, .. }
            | Self::CacheMiss { channel }
            | Self::SubscriptionCount { channel, .. } => channel,
        }
    }

    /// The event as it stands in a webhook's `events` (K2).
    pub fn json(&self) -> String {
        let mut out = Vec::with_capacity(64 + self.channel().len());
        out.extend_from_slice(br#"{"name":""#);
        out.extend_from_slice(self.kind().name().as_bytes());
        out.extend_from_slice(br#"","channel":"#);
        string_into(&mut out, self.channel());
        match self {
            Self::MemberAdded { user_id, .. } | Self::MemberRemoved { user_id, .. } => {
                field(&mut out, "user_id", user_id);
            }
            Self::ClientEvent { event, data, socket_id, user_id, .. } => {
                field(&mut out, "event", event);
                out.extend_from_slice(br#","data":"#);
                out.extend_from_slice(data.map_or("\"\"", |data| data.literal()).as_bytes());
                field(&mut out, "socket_id", socket_id);
                if let Some(user_id) = user_id {
                    field(&mut out, "user_id", user_id);
                }
            }
            Self::SubscriptionCount { count, .. } => {
                out.extend_from_slice(br#","subscription_count":"#);
                number_into(&mut out, *count);
            }
            Self::ChannelOccupied { .. } | Self::ChannelVacated { .. } | Self::CacheMiss { .. } => {
            }
        }
        out.push(b'}');
        text(out)
    }
}

/// A webhook's body (K1). `time_ms` is in milliseconds since 1970; `events` are those that
/// [`Event::json`] makes.
pub fn body<E: AsRef<str>>(time_ms: u64, events: &[E]) -> String {
    let size: usize = events.iter().map(|event| event.as_ref().len() + 1).sum();
    let mut out = Vec::with_capacity(size + 48);
    out.extend_from_slice(br#"{"time_ms":"#);
    number_into(&mut out, time_ms);
    out.extend_from_slice(br#","events":["#);
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(event.as_ref().as_bytes());
    }
    out.extend_from_slice(b"]}");
    text(out)
}

/// The `X-Pusher-Signature` header of a webhook: lower-case hex over the exact bytes sent.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    hex::encode(&secret.sign(&[body]))
}

fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    string_into(out, value);
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).expect("only whole strings were appended")
}

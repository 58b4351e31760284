//! What a shard can be asked to do. Everything that a client is sent comes out of its shard's
//! inbox as one of these, in the order in which it was decided.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channels::registry::Member;
use protocol::close::Close;
use protocol::socket_id::SocketId;
use tokio::sync::oneshot;

use super::report::ShardReport;
use crate::cache::CachedEvent;

/// A channel of an app. Cloning copies nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    /// The app's id.
    pub(crate) app: Arc<str>,
    /// The channel's name.
    pub(crate) channel: Arc<str>,
    /// Whom in the channel it is about.
    pub(crate) audience: Audience,
}

impl Topic {
    /// Those who receive what is sent to a channel.
    pub(crate) fn subscribers(app: &Arc<str>, channel: Arc<str>) -> Self {
        Topic { app: app.clone(), channel, audience: Audience::Subscribers }
    }
}

/// The two groups that follow a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Audience {
    /// Those who receive its events.
    Subscribers,
    /// Those who only hear when a user's channel becomes occupied or vacated (W49).
    Watchers,
}

/// A connection of one shard. The generation tells a connection from another one that was there
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// The first frames on a channel, as they were when the subscription was decided.
#[derive(Debug)]
pub(crate) enum Welcome {
    /// Nothing is said: the server subscribed the connection by itself.
    Silent,
    /// `subscription_succeeded`.
    Succeeded {
        /// The members at that moment, on presence channels.
        roster: Option<Vec<Arc<Member>>>,
        /// The last event, or that there is none, on cache channels.
        cached: Option<Option<Arc<CachedEvent>>>,
    },
}

/// One thing for a shard to do.
#[derive(Debug)]
pub(crate) enum Op {
    /// Send a frame to everybody who follows the topic.
    Deliver { topic: Topic, frame: Bytes, except: Option<SocketId> },
    /// From here on the connection receives what the topic is sent.
    Activate { to: ConnectionId, topic: Topic, welcome: Welcome },
    /// Send a frame to one connection.
    Send { to: ConnectionId, frame: Bytes },
    /// The state of one watched user at sign-in; gathered until [`Op::WatchlistReady`].
    Watched { to: ConnectionId, user_id: Arc<str>, online: bool },
    /// Every watched user's state is known: say it.
    WatchlistReady { to: ConnectionId },
    /// A user whose channel this is came online or went offline (W49).
    Presence { topic: Topic, user_id: Arc<str>, online: bool },
    /// The connection waited for a place in a presence channel, which has as many members as it may.
    Refuse { to: ConnectionId, topic: Topic, limit: usize },
    /// Say why, then close one connection.
    Close { to: ConnectionId, close: Close },
    /// Close everybody who is subscribed to the topic (W51).
    CloseTopic { topic: Topic, close: Close },
    /// Close every connection of an app.
    CloseApp { app: Arc<str>, close: Close },
    /// Close every connection, spread evenly over a time (W17).
    Disperse { close: Close, over: Duration },
    /// End the shard.
    Stop,
    /// A bug, for the tests.
    #[cfg(test)]
    Panic,
    /// Tell what the shard holds.
    Report(oneshot::Sender<ShardReport>),
}

impl Op {
    /// What the operation weighs in the inbox.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Op::Deliver { frame, .. } | Op::Send { frame, .. } => frame.len(),
            _ => 0,
        }
    }
}

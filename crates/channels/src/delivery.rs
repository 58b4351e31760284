//! What was decided, as a shard has to carry it out. What is delivered to one shard under one
//! channel's lock is carried out in that order.

use std::sync::Arc;

use bytes::Bytes;
use protocol::close::Close;
use protocol::socket_id::SocketId;

use crate::last_events::CachedEvent;
use crate::registry::Member;
use crate::topic::{ConnectionId, Topic};

/// One thing for a shard to do.
#[derive(Debug)]
pub enum Delivery {
    /// Send a frame to everybody who follows the topic.
    Frame {
        /// Who follows.
        topic: Topic,
        /// A whole WebSocket frame.
        frame: Bytes,
        /// Who does not get it.
        except: Option<SocketId>,
    },
    /// From here on the connection receives what the topic is sent.
    Welcome {
        /// The connection.
        to: ConnectionId,
        /// What it follows from now on.
        topic: Topic,
        /// Its first frames.
        welcome: Welcome,
    },
    /// The connection waited for a place in a presence channel, which has as many members as it may.
    Refuse {
        /// The connection.
        to: ConnectionId,
        /// The channel.
        topic: Topic,
        /// How many members the channel may have.
        limit: usize,
    },
    /// The state of one watched user at sign-in (W49).
    Watched {
        /// The connection that watches.
        to: ConnectionId,
        /// The user who is watched.
        user_id: Arc<str>,
        /// Whether the user has a connection anywhere.
        online: bool,
    },
    /// A user whose watchers these are came online or went offline (W49).
    Presence {
        /// Who watch.
        topic: Topic,
        /// The user who is watched.
        user_id: Arc<str>,
        /// Whether the user has a connection anywhere.
        online: bool,
    },
    /// Close everybody who is subscribed to the topic (W51).
    Close {
        /// Who is closed.
        topic: Topic,
        /// With which code and reason.
        close: Close,
    },
}

impl Delivery {
    /// The bytes of frames in it, which is what it weighs while it waits.
    pub fn bytes(&self) -> usize {
        match self {
            Delivery::Frame { frame, .. } => frame.len(),
            _ => 0,
        }
    }
}

/// The first frames on a channel, as they were when the subscription was decided.
#[derive(Debug)]
pub enum Welcome {
    /// Nothing is said: the server subscribed the connection by itself.
    Silent,
    /// `subscription_succeeded`.
    Succeeded {
        /// The members at that moment, on presence channels.
        roster: Option<Vec<Arc<Member>>>,
        /// What the channel keeps, on cache channels.
        last: LastEvent,
    },
}

/// What a newcomer gets of what was sent before it came.
#[derive(Debug)]
pub enum LastEvent {
    /// Nothing: the channel keeps no events.
    NotKept,
    /// The channel keeps its last event, and there is none (W44).
    Missing,
    /// The last event.
    Event(Arc<CachedEvent>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_weighs_what_it_has_and_everything_else_nothing() {
        let topic = Topic::subscribers(&"a".into(), "b".into());
        let frame = Bytes::from_static(b"frame");
        let close = Delivery::Close { topic: topic.clone(), close: Close::new(4000, "") };
        assert_eq!(close.bytes(), 0);
        assert_eq!(Delivery::Frame { topic, frame, except: None }.bytes(), 5);
    }
}

//! What things are called at this node: a channel, its two audiences, a connection.

use std::sync::Arc;

use protocol::channel;

use crate::registry::ShardId;

/// A channel of an app. Cloning copies nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// The app's id.
    pub app: Arc<str>,
    /// The channel's name.
    pub channel: Arc<str>,
    /// Whom in the channel it is about.
    pub audience: Audience,
}

/// The two groups that follow a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// Those who receive its events.
    Subscribers,
    /// Those who only hear when a user's channel becomes occupied or vacated (W49).
    Watchers,
}

impl Topic {
    /// Those who receive what is sent to a channel.
    pub fn subscribers(app: &Arc<str>, channel: Arc<str>) -> Self {
        Topic { app: app.clone(), channel, audience: Audience::Subscribers }
    }

    /// Those who watch a user, given the user's channel.
    pub fn watchers(app: &Arc<str>, channel: Arc<str>) -> Self {
        Topic { app: app.clone(), channel, audience: Audience::Watchers }
    }

    /// Whether the channel keeps its last event (W43).
    pub(crate) fn is_cache(&self) -> bool {
        channel::classify(&self.channel).is_cache()
    }
}

/// A connection of one shard. The generation tells a connection from another one that was there
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// Where in its shard's table it is.
    pub index: u32,
    /// How many connections the shard had had when it came.
    pub generation: u32,
}

/// A connection of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionRef {
    /// Whose it is.
    pub shard: ShardId,
    /// Which of the shard's.
    pub id: ConnectionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_keep_their_last_event_are_known_by_their_names() {
        let is_cache = |channel: &str| Topic::subscribers(&"a".into(), channel.into()).is_cache();
        assert!(is_cache("cache-a") && is_cache("private-cache-a"));
        assert!(!is_cache("a") && !is_cache("presence-a"));
    }
}

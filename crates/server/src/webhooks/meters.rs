//! What becomes of webhooks, for whoever wants to look.

use std::sync::Arc;

use ::webhooks::Sender;

use super::feed::Feed;

/// Owned by the node.
pub(crate) struct Meters {
    /// If this process sends.
    pub(crate) sender: Option<Arc<Sender>>,
    /// If there is a queue that nodes share.
    pub(crate) feed: Option<Arc<Feed>>,
}

impl Meters {
    /// Whether the queue answered the last time; without one there is nothing to wait for.
    pub(crate) fn queue_is_up(&self) -> bool {
        self.feed.as_ref().is_none_or(|feed| feed.queue().counters().is_up)
    }
}

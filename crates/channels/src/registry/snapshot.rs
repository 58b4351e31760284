//! What one node holds, as a stream's snapshot tells it.

use std::sync::Arc;

use crate::registry::{Entry, Member, NodeId};

/// A node's facts about one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelFacts {
    /// The app's id.
    pub app: Arc<str>,
    /// The channel's name.
    pub channel: Arc<str>,
    /// The node's subscriptions.
    pub subscriptions: u32,
    /// The members that the node has connections of.
    pub members: Vec<Arc<Member>>,
}

impl ChannelFacts {
    /// What `node` holds of an entry; nothing if it holds nothing.
    pub(crate) fn of_node(
        node: NodeId,
        app: &Arc<str>,
        channel: &Arc<str>,
        entry: &Entry,
    ) -> Option<ChannelFacts> {
        let held = || ChannelFacts {
            app: app.clone(),
            channel: channel.clone(),
            subscriptions: entry.subscribers().of_node(node),
            members: entry.roster().of_node(node).cloned().collect(),
        };
        entry.is_held_by(node).then(held)
    }
}

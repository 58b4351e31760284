//! What one node holds, as a link's snapshot tells it.

use std::sync::Arc;

use crate::{Entry, Member, NodeId};

/// A node's facts about one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelFacts {
    /// The app's id.
    pub app: Arc<str>,
    /// The channel's name.
    pub channel: Arc<str>,
    /// The node's subscriptions.
    pub subscriptions: u64,
    /// The node's watchers.
    pub watchers: u64,
    /// The members that the node has connections of.
    pub members: Vec<MemberFacts>,
}

/// A node's connections of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFacts {
    /// The member.
    pub member: Arc<Member>,
    /// How many connections of it the node has.
    pub sockets: u32,
}

impl ChannelFacts {
    /// What `node` holds of an entry; nothing if it holds nothing.
    pub(crate) fn of_node(
        node: NodeId,
        app: &Arc<str>,
        channel: &Arc<str>,
        entry: &Entry,
    ) -> Option<ChannelFacts> {
        let subscriptions = entry.subscribers().of_node(node);
        let watchers = entry.watchers().of_node(node);
        if subscriptions + watchers == 0 {
            return None;
        }
        let of_node = entry.roster().of_node(node);
        let members = of_node.map(|(m, sockets)| MemberFacts { member: m.clone(), sockets });
        Some(ChannelFacts {
            app: app.clone(),
            channel: channel.clone(),
            subscriptions,
            watchers,
            members: members.collect(),
        })
    }
}

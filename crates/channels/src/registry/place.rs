//! Where a subscription lives, seen from this node.

/// A shard of this node, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u16);

/// A node of the cluster, by the number that this node gave it; [`NodeId::LOCAL`] is this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u16);

impl NodeId {
    /// This node itself.
    pub const LOCAL: NodeId = NodeId(0);
}

/// The holder of a subscription: one of our shards, or another node as a whole, for how a peer
/// deals its connections out is nobody else's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A shard of this node.
    Shard(ShardId),
    /// Another node; never [`NodeId::LOCAL`].
    Node(NodeId),
}

impl Holder {
    /// The node whose fact a subscription at this place is.
    pub fn node(self) -> NodeId {
        match self {
            Holder::Shard(_) => NodeId::LOCAL,
            Holder::Node(node) => node,
        }
    }
}

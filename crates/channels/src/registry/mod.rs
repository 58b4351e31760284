//! Who holds what: for every (app, channel) the shards of this node and the other nodes that have
//! subscribers, and for presence channels the roster of members.
//!
//! Every node owns its own facts and keeps a replica of its peers'; the view of the cluster is
//! their union, and a transition (first subscriber, last one left, member added, member removed)
//! is computed inside the change that causes it. A node on its own is the same code with one node
//! in it.
//!
//! The registry is pure: it must not know sockets, shards' inboxes, links, the wire or the clock.
//! What has to happen in the order of decisions (putting a frame into an inbox, appending to a
//! stream's log) is done by the caller inside the closure that it passes, while the one lock of the
//! channel's stripe is held; nothing may block or await there.

mod entry;
mod interest;
mod lock;
mod place;
mod roster;
mod snapshot;
mod stripes;

pub use entry::{Entry, Fact, LocalChange, MemberChange, Occupancy, Own, Transitions};
pub use interest::Interest;
pub use lock::Locked;
pub(crate) use lock::is_anything_locked;
pub use place::{Holder, NodeId, ShardId};
pub use roster::{Member, Roster};
pub use snapshot::ChannelFacts;
pub use stripes::{Found, Registry, STRIPES};

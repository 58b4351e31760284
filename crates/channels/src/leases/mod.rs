//! Quotas that hold over all nodes: how many of something there may be, dealt out in leases.
//!
//! For each key (an app's connections, say) the member that wins the rendezvous hash is the owner.
//! It grants slots to the nodes, several at a time, so that taking one usually asks nobody; the
//! total that is held never exceeds the limit. What a node holds is a fact of its own that all
//! others know, so a successor as owner knows what is out, and a dead node's slots are free again.
//!
//! ```text
//!   take --yes, no or wait-->  node  --Ask-->   owner
//!                              node  <--Grant or Deny--
//!                              node  <--Recall--        somebody else needs what you do not use
//!                              node  --Held--> everybody
//!                              node  --View--> everybody whom it takes for the members
//! ```
//!
//! Two owners at one time would grant twice. So an owner grants only while every member has told
//! that it sees the same ones, and a node takes grants only from whom it takes for the owner.
//! What a node holds is told before its view, in the same ordered stream.
//!
//! Pure, without IO, clock or randomness: it must not know what is counted, nor how messages travel.

mod keys;
mod lease;
mod message;
mod ownership;
mod owning;
mod using;

pub use keys::{LeaseOutput, Leases, SlotRequestId, Taken};
pub use message::{GrantNumber, LeaseMessage, NodeName};

//! What happens on channels, over all nodes: who holds what, what follows when that changes, and what
//! nodes tell each other so that all of them know.
//!
//! [`Channels`] is the whole of it for one node. Its inputs are subscriptions and events of this
//! node's connections and backends, what the peers tell ([`Peers`]), and the passing of time. Its
//! outputs go through one trait, [`Runtime`]: deliveries for shards, notes for backends, answers,
//! and whom to wake. So the server runs the very code that the simulation runs.
//!
//! ```text
//!             core           decides, under each channel's lock
//!   registry      replication   reservations   leases   rates    last_events   announcer
//!   who holds     what nodes    presence       quotas   budgets  of cache      which node tells
//!   what          tell          limits                           channels      a backend
//! ```
//!
//! There is no clock, thread, socket or runtime in here. It must not know the WebSocket protocol but
//! for the frames that follow from decisions, HTTP, nor how entries reach a peer.

pub mod announcer;
mod core;
mod delivery;
pub mod election;
mod frames;
mod last_events;
pub mod leases;
pub mod rates;
pub mod registry;
pub mod replication;
pub mod reservations;
mod runtime;
mod topic;

pub use announcer::{Note, Origin};
pub use core::{
    ChannelSettings, Channels, Peers, Publish, Sizes, Slot, Spend, Spent, Subscribed, Subscription,
};
pub use delivery::{Delivery, LastEvent, Welcome};
pub use last_events::{CachedEvent, ChannelKey, LastEvents};
pub use runtime::{Answer, App, Interests, Problem, Runtime, Wake};
pub use topic::{Audience, ConnectionId, ConnectionRef, Topic};

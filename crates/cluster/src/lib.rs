//! Who is alive and how entries reach them; it knows no channels, apps, events or sockets.
//!
//! [`Cluster`] is a state machine without IO: time is an argument, every input is a method call,
//! every output is a value. It holds no clock, no randomness, no thread and no task. A driver
//! around it finds peers, carries [`Packet`]s and drains the [`Output`]s; the owner of the facts
//! appends to each peer's [`Log`] and takes what the peers tell.
//!
//! ```text
//!   owner's threads                                          driver
//!     | append                             found, receive, tick |   ^ next_packet, poll_output
//!     v                                                         v   |
//!   Log ----------------------- shared -------------------->  Cluster
//!                                                               `-- Peer, one per live incarnation
//!                                                                     |-- Log       what we send it
//!                                                                     `-- Incoming  what it sends us
//! ```
//!
//! How a stream survives loss, repetition, reordering and oblivion is told in [`link`].

mod agreement;
pub mod broker;
mod cluster;
pub mod driver;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod identity;
pub mod link;
pub mod mesh;
#[cfg(feature = "nats")]
pub mod nats;
mod output;
#[cfg(feature = "redis")]
pub mod redis;
mod settings;
mod slots;
mod status;
mod stream;
mod warnings;

pub use agreement::Disagreement;
pub use cluster::{Cluster, Received};
pub use identity::{Incarnation, PeerInfo, Slot};
pub use link::{Flags, Header, MAX_PACKET, Packet, PacketError, VERSION};
pub use output::{Output, Reason};
pub use settings::Settings;
pub use status::PeerStatus;
pub use stream::{Appended, EntryKind, Log, LogStats, Losses, MAX_ENTRY};

/// A point in time: how long ago an arbitrary moment of this process was, by a monotonic clock.
pub type Now = std::time::Duration;

//! From "this happened in that app" to a signed request that arrived (K1 to K6).
//! It must not know who decided that it happened, nor where jobs wait when they wait outside of
//! this process.
//!
//! ```text
//!   Happening
//!      |  routes      which of the app's targets want it
//!      v  outgoing    one job each, or gathered: per app and target, never across
//!     Job             exact bytes, addressed; may travel through a queue as bytes
//!      |  partitions       per app and target: in order per group, retried, bounded, resting. Pure.
//!      v  sender      the driver: clock, randomness, tasks, counters, the log
//!     http, lambda    one attempt
//! ```
//!
//! Jobs are signed when they are sent, with the key that the app has then.

pub mod counters;
mod credentials;
mod destination;
mod failure;
mod happening;
mod http;
mod job;
#[cfg(feature = "lambda")]
mod lambda;
mod outgoing;
mod partitions;
mod routes;
mod sender;
mod settings;

pub use counters::{BUCKETS, TargetCounters};
pub use credentials::{BoxFuture, Credential, Credentials, Unavailable};
pub use destination::Destination;
pub use failure::{Failure, Outcome, Reason};
pub use happening::Happening;
pub use job::{DecodeError, Job};
pub use outgoing::{MAX_BATCH_BYTES, MAX_EVENTS, Outgoing};
pub use protocol::webhook::{Event, EventKind};
pub use routes::Routes;
pub use sender::Sender;
pub use settings::{Settings, SettingsError};

/// A point in time: how long ago an arbitrary moment of this process was, by a monotonic clock.
pub type Now = std::time::Duration;

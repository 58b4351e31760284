//! What a node tells one peer: entries, in order, kept until the peer acknowledges them. It must not
//! know what an entry means, how it is transmitted, nor what the peer tells us.

mod log;
mod window;

pub use log::{Appended, Log, LogStats, Losses, MAX_ENTRY};
pub use window::EntryKind;

pub(crate) use log::Streams;
pub(crate) use window::{Due, LINGER};

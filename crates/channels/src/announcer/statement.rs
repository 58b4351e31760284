//! What can be said.

use std::sync::Arc;
use std::time::Duration;

/// What comes and goes: a channel's subscribers, or one of its members.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// The app's id.
    pub app: Arc<str>,
    /// The channel's name.
    pub channel: Arc<str>,
    /// The member's id; none if it is about whether anybody at all is subscribed.
    pub member: Option<Box<str>>,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// The channel is occupied, the member was added.
    Came,
    /// The channel is vacated, the member was removed.
    Went,
}

/// Something that this node has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Whom it is about.
    pub subject: Subject,
    /// What happened to it.
    pub turn: StatementKind,
    /// When that was.
    pub at: Duration,
}

//! What was decided and may be a backend's business, on its way from the shards to the webhook task.

use channels::Note;
use channels::announcer::Subject;

use crate::backlog::{Backlog, Waits};

/// The most bytes that notes may take in all.
const MOST_BYTES: usize = 64 << 20;
/// What a note takes beside the text in it.
const OVERHEAD: usize = 128;

/// Notes that wait for the webhook task.
pub(crate) type Notes = Backlog<Note>;

impl Default for Notes {
    fn default() -> Self {
        Backlog::new(MOST_BYTES)
    }
}

impl Waits for Note {
    fn weight(&self) -> usize {
        let text = |subject: &Subject| {
            subject.channel.len() + subject.member.as_ref().map_or(0, |member| member.len())
        };
        let text = match self {
            Self::Came(subject) | Self::Went(subject) => text(subject),
            Self::Counted(subject, _) | Self::Missed(subject, _) => text(subject),
            Self::ClientEvent(subject, json) => text(subject) + json.len(),
            Self::Ready(..) | Self::Retired(_) | Self::Dead(_) => 0,
        };
        OVERHEAD + text
    }

    /// Everything depends on knowing which nodes there are.
    fn may_be_lost(&self) -> bool {
        !matches!(self, Self::Ready(..) | Self::Retired(_) | Self::Dead(_))
    }
}

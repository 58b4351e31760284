//! An event of an app, before anybody has been chosen to hear of it.

use std::sync::Arc;

use protocol::webhook::{Event, EventKind};

/// An event of an app, ready for its targets.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The app's id.
    pub app: Arc<str>,
    /// What happened.
    pub kind: EventKind,
    /// Where it happened.
    pub channel: Arc<str>,
    /// The event as it stands in a body (K2).
    pub json: String,
    /// When it happened, in milliseconds since 1970.
    pub at_ms: u64,
}

impl Happening {
    /// That `event` happened in `app` at `at_ms`, in milliseconds since 1970.
    pub fn new(app: Arc<str>, event: &Event<'_>, at_ms: u64) -> Self {
        let (kind, channel) = (event.kind(), event.channel().into());
        Happening { app, kind, channel, json: event.json(), at_ms }
    }
}

//! A subscription that is refused: what the client is told.

use bytes::Bytes;

/// Why a subscription is refused, in the two shapes in which clients are told (W25).
pub(crate) struct Refused {
    kind: &'static str,
    status: u16,
    /// For `pusher:subscription_error`, as soketi words it.
    short: String,
    /// For `pusher:error`, as Pusher words it.
    long: String,
}

impl Refused {
    /// Both shapes say the same.
    pub(crate) fn new(kind: &'static str, status: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        Refused { kind, status, short: message.clone(), long: message }
    }

    /// The client may not do that.
    pub(crate) fn unauthorized(error: &impl ToString) -> Self {
        let short = "The connection is unauthorized.".to_owned();
        Refused { kind: "AuthError", status: 401, short, long: error.to_string() }
    }

    /// Something about the request is not as it has to be.
    pub(crate) fn invalid(error: &impl ToString) -> Self {
        Refused::new("LimitReached", 4009, error.to_string())
    }

    /// The presence channel has all the members that it may have, also when that turns out later.
    pub(crate) fn full(most: usize) -> Self {
        let message = format!("The channel may have {most} members, and has them.");
        Refused::new("LimitReached", 4004, message)
    }

    /// What the client is told, in both shapes.
    pub(crate) fn frames(&self, app: &str, channel: &str) -> [Bytes; 2] {
        let Refused { kind, status, short, long } = self;
        tracing::debug!(app, channel, reason = long, "a subscription is refused");
        let subscription_error = super::subscription_error(channel, kind, short, *status);
        [subscription_error, super::error(None, long, Some(channel))]
    }
}

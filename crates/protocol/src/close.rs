//! Why the server ends a connection: close codes and their texts (W14).
//! It must not know how a connection is closed.
//!
//! Clients read the ranges: 4000-4099 never come back, 4100-4199 come back after a pause,
//! 4200-4299 come back at once, 4300-4399 are for error frames only and never close.

use std::borrow::Cow;

use crate::clip::clip;
use crate::server_message;

/// Error frame code of a refused client event; never a close code (W42).
pub const CLIENT_EVENT_REFUSED: u16 = 4301;
/// Error frame code of a watchlist over its limit; never a close code (W49).
pub const WATCHLIST_LIMIT: u16 = 4302;

/// A close code and its text, for the `pusher:error` frame and the close frame after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code of both frames.
    pub code: u16,
    /// The message of the error frame, of any length.
    pub reason: Cow<'static, str>,
}

impl Close {
    /// Any code and text.
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// 4000: the app accepts TLS connections only.
    pub fn tls_only() -> Self {
        Self::new(4000, "Application only accepts SSL connections, reconnect using wss://")
    }
    /// 4001: no app has this key.
    pub fn app_not_found(key: &str) -> Self {
        Self::new(4001, format!("App key {} does not exist.", clip(key, 80)))
    }
    /// 4003: the app is disabled.
    pub fn app_disabled() -> Self {
        Self::new(4003, "The app is not enabled.")
    }
    /// 4004: the app has as many connections as it may.
    pub fn over_quota() -> Self {
        Self::new(4004, "The current concurrent connections quota has been reached.")
    }
    /// 4005: the path is not `/app/{key}`.
    pub fn path_not_found() -> Self {
        Self::new(4005, "Path not found")
    }
    /// 4006: the protocol version is not a number.
    pub fn invalid_version(version: &str) -> Self {
        Self::new(4006, format!("Invalid version string format: '{}'", clip(version, 20)))
    }
    /// 4007: the protocol version is a number that is not spoken here.
    pub fn unsupported_protocol(version: &str) -> Self {
        Self::new(4007, format!("Unsupported protocol version: {}", clip(version, 20)))
    }
    /// 4008: the client named no protocol version.
    pub fn no_protocol() -> Self {
        Self::new(4008, "No protocol version supplied")
    }
    /// 4009: the connection is not authorised, for the reason given.
    pub fn unauthorized(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(4009, reason)
    }
    /// 4009: neither signed in nor on a private channel in time (W50).
    pub fn authorization_timeout() -> Self {
        Self::unauthorized("Connection not authorized within timeout.")
    }
    /// 4009: `terminate_connections` of this user (W51).
    pub fn terminated() -> Self {
        Self::unauthorized("You got disconnected by the app.")
    }
    /// 4009: the page's origin is not on the app's list (W4).
    pub fn origin_not_allowed() -> Self {
        Self::unauthorized("Origin not allowed")
    }
    /// 4100: the server is full or going away; come back after a pause (W17).
    pub fn over_capacity() -> Self {
        Self::new(4100, "Over capacity")
    }
    /// 4100: whether the app exists cannot be found out; come back after a pause.
    pub fn app_unavailable() -> Self {
        Self::new(4100, "The app cannot be looked up at the moment, try again later")
    }
    /// 4200: come back at once (W17).
    pub fn reconnect() -> Self {
        Self::new(4200, "Server closed. Please reconnect shortly.")
    }
    /// 4201: no sign of life after a probe (W11).
    pub fn pong_timeout() -> Self {
        Self::new(4201, "Pong reply not received")
    }
    /// 4202: idle for too long (W12).
    pub fn inactivity() -> Self {
        Self::new(4202, "Closed after inactivity")
    }

    /// The reason cut to the 123 bytes that fit into a close frame (RFC 6455 5.5, A7).
    pub fn frame_reason(&self) -> &str {
        &self.reason[..self.reason.floor_char_boundary(123)]
    }

    /// Appends the `pusher:error` frame that precedes the close frame (W14).
    pub fn error_frame(&self, out: &mut Vec<u8>) {
        server_message::error(out, Some(self.code), &self.reason, None);
    }
}

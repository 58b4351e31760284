//! Event names: what a backend and what a client may call an event.
//! It must not know which channel the event goes to.

use crate::clip::{ECHO, clip};

/// What every client event's name starts with (W41).
pub const CLIENT_PREFIX: &str = "client-";

/// Why an event name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEventName {
    /// The name is empty.
    #[error("Invalid event name: it must not be empty")]
    Empty,
    /// The name is longer than the limit.
    #[error("Invalid event name: '{name}..' is too long, at most {max} characters are allowed")]
    TooLong {
        /// The beginning of the name.
        name: String,
        /// The limit in characters.
        max: usize,
    },
    /// The name starts with `pusher` (W54).
    #[error("Bad request: The 'pusher' namespace is reserved for internal usage")]
    Reserved,
    /// A client event's name that does not start with `client-`, or has nothing after it (W41).
    #[error("Invalid client event name: '{0}' must be client- followed by a name")]
    NotClient(String),
}

/// Checks the name of an event published by a backend: not empty, at most `max_len` characters,
/// not starting with `pusher` (W54). Backslashes and any other characters are legal.
pub fn validate(name: &str, max_len: usize) -> Result<(), InvalidEventName> {
    if name.is_empty() {
        return Err(InvalidEventName::Empty);
    }
    if name.starts_with("pusher") {
        return Err(InvalidEventName::Reserved);
    }
    check_length(name, max_len)
}

/// Checks the name of a client event: `client-` and something, at most `max_len` characters (W41).
pub fn validate_client(name: &str, max_len: usize) -> Result<(), InvalidEventName> {
    match name.strip_prefix(CLIENT_PREFIX) {
        None | Some("") => Err(InvalidEventName::NotClient(clip(name, ECHO).to_owned())),
        Some(_) => check_length(name, max_len),
    }
}

fn check_length(name: &str, max: usize) -> Result<(), InvalidEventName> {
    // A character is at least one byte, so most names need no counting.
    if name.len() <= max || name.chars().count() <= max {
        return Ok(());
    }
    Err(InvalidEventName::TooLong { name: clip(name, ECHO).to_owned(), max })
}

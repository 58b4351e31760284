//! Channel names: their kinds (W22) and which of them are legal (W53).
//! It must not know who is subscribed to what.

use crate::clip::{ECHO, clip};

/// What stands before the user id in the channel that reaches all connections of one user (W48).
pub const USER_PREFIX: &str = "#server-to-user-";

/// How a channel treats its subscribers; says nothing of caching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Anyone may subscribe.
    Public,
    /// `private-`: a subscription needs a signature.
    Private,
    /// `private-encrypted-`: private, and its payloads are opaque to the server (W37).
    PrivateEncrypted,
    /// `presence-`: private, and its members know of each other.
    Presence,
    /// `#server-to-user-{id}`: only the connections signed in as that user (W47).
    User,
}

/// What a channel's name says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// How it treats its subscribers.
    pub kind: Kind,
    /// Whether it remembers its last event (W43).
    pub cache: bool,
}

impl Class {
    /// Whether a subscription needs a signature of the app's secret (or, presence, a sign-in: W34).
    pub fn requires_auth(self) -> bool {
        matches!(self.kind, Kind::Private | Kind::PrivateEncrypted | Kind::Presence)
    }

    /// Whether the channel has a roster of members.
    pub fn is_presence(self) -> bool {
        self.kind == Kind::Presence
    }

    /// Whether clients may trigger events on it: the private and presence families (W41).
    pub fn allows_client_events(self) -> bool {
        self.requires_auth()
    }

    /// Whether it remembers its last server-triggered event (W43).
    pub fn is_cache(self) -> bool {
        self.cache
    }

    /// Whether it belongs to one user (W47).
    pub fn is_user(self) -> bool {
        self.kind == Kind::User
    }
}

/// The class of a channel by exact, anchored, dash-terminated prefix (W22).
///
/// Says nothing about whether the name is legal: see [`validate`].
pub fn classify(name: &str) -> Class {
    let (kind, cache) = if let Some(rest) = name.strip_prefix("private-") {
        if let Some(rest) = rest.strip_prefix("encrypted-") {
            (Kind::PrivateEncrypted, rest.starts_with("cache-"))
        } else {
            (Kind::Private, rest.starts_with("cache-"))
        }
    } else if let Some(rest) = name.strip_prefix("presence-") {
        (Kind::Presence, rest.starts_with("cache-"))
    } else if name.starts_with(USER_PREFIX) {
        (Kind::User, false)
    } else {
        (Kind::Public, name.starts_with("cache-"))
    };
    Class { kind, cache }
}

/// Why a channel name is not legal (W53).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChannel {
    /// The name is empty.
    #[error("Invalid channel name: it must not be empty")]
    Empty,
    /// The name is longer than the limit.
    #[error("Invalid channel name: '{name}..' has {length} characters, at most {max} are allowed")]
    TooLong {
        /// The beginning of the name.
        name: String,
        /// Its length in bytes, which for a legal name is its length in characters.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// The name holds a character outside `A-Z a-z 0-9 _ - = @ , . ;`.
    #[error("Invalid channel name: '{0}' may only hold A-Z a-z 0-9 _ - = @ , . ;")]
    Character(String),
    /// The name starts with `#` but is not `#server-to-user-{user id}`.
    #[error("Invalid channel name: '{0}' starts with # but is not #server-to-user-{{user id}}")]
    Hash(String),
}

/// Checks a channel name of at most `max_len` bytes against W53 and classifies it.
pub fn validate(name: &str, max_len: usize) -> Result<Class, InvalidChannel> {
    let echo = || clip(name, ECHO).to_owned();
    if name.is_empty() {
        return Err(InvalidChannel::Empty);
    }
    if name.len() > max_len {
        return Err(InvalidChannel::TooLong { name: echo(), length: name.len(), max: max_len });
    }
    let class = classify(name);
    let checked = match name.strip_prefix('#') {
        None => name,
        Some(_) => match user_id(name) {
            Some(id) => id,
            None => return Err(InvalidChannel::Hash(echo())),
        },
    };
    if !checked.bytes().all(is_legal) {
        return Err(InvalidChannel::Character(echo()));
    }
    Ok(class)
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=' | b'@' | b',' | b'.' | b';')
}

/// The non-empty user id in a `#server-to-user-{id}` channel name (W47).
pub fn user_id(name: &str) -> Option<&str> {
    name.strip_prefix(USER_PREFIX).filter(|id| !id.is_empty())
}

/// The channel that reaches every connection signed in as `user_id` (W48).
pub fn user_channel(user_id: &str) -> String {
    format!("{USER_PREFIX}{user_id}")
}

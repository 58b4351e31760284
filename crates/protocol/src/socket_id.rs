//! Socket ids: the name of one connection (W6).
//! It must not know which connections exist; randomness is the caller's.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::clip::{ECHO, clip};

/// The id of one connection, written `{digits}.{digits}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64, pub u64);

impl SocketId {
    /// A new id from two numbers of a cryptographic generator.
    ///
    /// Each part keeps 53 bits and is never 0, so no client or backend that reads one as a
    /// floating point number changes it.
    pub fn from_random(first: u64, second: u64) -> Self {
        Self((first >> 11).max(1), (second >> 11).max(1))
    }

    /// The id as text, without an allocation.
    pub fn text(self) -> SocketIdText {
        let mut text = SocketIdText { bytes: [0; 41], length: 0 };
        text.push_number(self.0);
        text.push(b'.');
        text.push_number(self.1);
        text
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Text that is not `{digits}.{digits}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid socket id: '{0}' must be two numbers joined by a dot, such as 123.456")]
pub struct InvalidSocketId(String);

impl FromStr for SocketId {
    type Err = InvalidSocketId;

    /// Reads exactly `^[0-9]+\.[0-9]+$`. A part too big for 64 bits becomes the biggest number,
    /// which [`SocketId::from_random`] never makes: it is well-formed and nobody's (H5).
    fn from_str(text: &str) -> Result<Self, InvalidSocketId> {
        let parts = text.split_once('.').and_then(|(a, b)| Some(SocketId(part(a)?, part(b)?)));
        parts.ok_or_else(|| InvalidSocketId(clip(text, ECHO).to_owned()))
    }
}

fn part(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// A [`SocketId`] as text on the stack; use it as a `&str`.
#[derive(Clone, Copy)]
pub struct SocketIdText {
    bytes: [u8; 41],
    length: u8,
}

impl SocketIdText {
    fn push(&mut self, byte: u8) {
        self.bytes[usize::from(self.length)] = byte;
        self.length += 1;
    }

    fn push_number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        digits[first..].iter().for_each(|&digit| self.push(digit));
    }
}

impl Deref for SocketIdText {
    type Target = str;

    fn deref(&self) -> &str {
        // Only ASCII digits and a dot were pushed.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for SocketIdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for SocketIdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

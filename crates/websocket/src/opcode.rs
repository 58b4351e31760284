//! Kinds of frames, by the numbers that stand for them. It must not know what a frame may look like.

use std::fmt;

/// The kind of a frame (RFC 6455 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of a text or binary message.
    Continuation = 0,
    /// A text message, or its first fragment.
    Text = 1,
    /// A binary message, or its first fragment.
    Binary = 2,
    /// The closing handshake.
    Close = 8,
    /// A probe that asks for a pong.
    Ping = 9,
    /// The answer to a ping, or a one-way heartbeat.
    Pong = 10,
}

impl Opcode {
    /// Whether this is close, ping or pong.
    pub fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }

    /// The kind that the low four bits of a header stand for, if the RFC defines one.
    pub(crate) fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}

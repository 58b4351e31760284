//! What a client said, once its frames are put together.

use crate::{Opcode, ProtocolError, close_code};

/// A message or control frame, borrowed from the input or from the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// A whole text message; valid UTF-8.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// A ping of up to 125 bytes; answer with a [`pong`](crate::pong) of the same payload.
    Ping(&'a [u8]),
    /// A pong of up to 125 bytes.
    Pong(&'a [u8]),
    /// The client closes: its code, if it gave one, and its reason, empty or up to 123 bytes.
    /// Nothing comes after it (RFC 6455 5.5.1).
    Close(Option<u16>, &'a str),
}

impl<'a> Message<'a> {
    /// Checks a whole, unmasked payload. `opcode` is that of the message's first frame.
    pub(crate) fn new(opcode: Opcode, payload: &'a [u8]) -> Result<Self, ProtocolError> {
        Ok(match opcode {
            Opcode::Text => Self::Text(utf8(payload)?),
            // A continuation never starts a message, the header check saw to that.
            Opcode::Binary | Opcode::Continuation => Self::Binary(payload),
            Opcode::Ping => Self::Ping(payload),
            Opcode::Pong => Self::Pong(payload),
            Opcode::Close => Self::close(payload)?,
        })
    }

    fn close(body: &'a [u8]) -> Result<Self, ProtocolError> {
        match body {
            [] => Ok(Self::Close(None, "")),
            [_] => Err(ProtocolError::CloseBody),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !close_code::is_valid(code) {
                    return Err(ProtocolError::CloseCode(code));
                }
                Ok(Self::Close(Some(code), utf8(reason)?))
            }
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, ProtocolError> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| ProtocolError::Utf8)
}

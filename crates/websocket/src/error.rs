//! What a client can do wrong, and the close code that answers it.

use crate::{Opcode, close_code};

/// A breach of RFC 6455 by the client; the connection is to be closed with
/// [`close_code`](Self::close_code) ("fail the connection", RFC 6455 7.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A reserved bit is set although no extension was negotiated (RFC 6455 5.2). Holds the three
    /// bits, RSV1 highest.
    #[error("reserved bits are {0:03b}, without an extension they must be 000")]
    ReservedBits(u8),
    /// An opcode that the RFC does not define (RFC 6455 5.2).
    #[error("opcode {0:#x} is not defined, use 0x0-0x2 or 0x8-0xa")]
    ReservedOpcode(u8),
    /// A control frame without FIN (RFC 6455 5.5).
    #[error("fragmented {0} frame, control frames must come in one piece")]
    FragmentedControl(Opcode),
    /// A control frame with an extended length (RFC 6455 5.5). Holds the length field, 126 or 127.
    #[error("control frame with length field {0}, at most 125 bytes are allowed")]
    LongControl(u8),
    /// A new data frame while a fragmented message is open (RFC 6455 5.4).
    #[error("{0} frame inside a fragmented message, it must go on with a continuation frame")]
    ExpectedContinuation(Opcode),
    /// A continuation frame while no message is open (RFC 6455 5.4).
    #[error("continuation frame without a message to continue, begin with text or binary")]
    UnexpectedContinuation,
    /// A frame without masking (RFC 6455 5.1).
    #[error("unmasked frame, a client must mask every frame")]
    Unmasked,
    /// A length that would fit into a shorter form (RFC 6455 5.2). In bytes.
    #[error("length {0} is not in its shortest form")]
    OverlongLength(u64),
    /// A 64-bit length whose top bit is set (RFC 6455 5.2).
    #[error("length {0:#x} has its top bit set, at most 63 bits are allowed")]
    LengthTopBit(u64),
    /// A frame, or all fragments of a message up to and with this frame, over the limit.
    #[error("message of at least {length} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Bytes that the message would have with the frame that went over.
        length: u64,
        /// The decoder's limit in bytes.
        limit: u64,
    },
    /// Text or a close reason that is not UTF-8 (RFC 6455 8.1).
    #[error("invalid utf-8 in a text message or close reason")]
    Utf8,
    /// A close body of one byte (RFC 6455 5.5.1).
    #[error("close body of 1 byte, it must be empty or begin with a code of 2 bytes")]
    CloseBody,
    /// A close code that must not be sent (RFC 6455 7.4).
    #[error("close code {0} must not be sent, use 1000-1003, 1007-1014 or 3000-4999")]
    CloseCode(u16),
    /// The caller's own fault: it fed new input before it had pulled everything out of the last.
    #[error("earlier input was not read to its end before more was fed")]
    Unread,
}

impl ProtocolError {
    /// The code for the close frame: 1007 for bad UTF-8, 1009 for too much, 1002 for the rest
    /// (RFC 6455 7.4.1); 1011 for [`Unread`](Self::Unread), which is not the client's fault.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Utf8 => close_code::INVALID_PAYLOAD,
            Self::TooLarge { .. } => close_code::TOO_LARGE,
            Self::Unread => close_code::INTERNAL,
            _ => close_code::PROTOCOL_ERROR,
        }
    }
}

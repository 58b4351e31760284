//! The frame header of RFC 6455 5.2, checked as far as it has arrived.
//!
//! Checks go from the first byte to the last, so the verdict on a stream never depends on how the
//! network chopped it. It must not touch payload bytes.

use crate::{Opcode, ProtocolError};

/// The most bytes a header can have: 2, a 64-bit length and a masking key.
pub(crate) const MAX_HEADER: usize = 14;

/// A whole and permitted header of a client's frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    /// Payload bytes.
    pub(crate) length: usize,
    pub(crate) mask: [u8; 4],
}

/// What the stream so far says about the frames that may come next.
pub(crate) struct Context {
    /// Bytes of the open fragmented message, if there is one.
    pub(crate) open_message: Option<usize>,
    /// Limit for a whole message in bytes.
    pub(crate) max_message: usize,
}

impl Header {
    /// Reads a header from the start of `bytes`; returns it with its size in bytes, or `None`
    /// when it is incomplete and fine so far.
    pub(crate) fn parse(
        bytes: &[u8],
        context: &Context,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let (fin, opcode) = parse_first(first)?;
        match (opcode, context.open_message) {
            (Opcode::Continuation, None) => return Err(ProtocolError::UnexpectedContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(ProtocolError::ExpectedContinuation(opcode));
            }
            _ => {}
        }
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if second & 0x80 == 0 {
            return Err(ProtocolError::Unmasked);
        }
        let Some((length, start)) = parse_length(opcode, bytes)? else { return Ok(None) };
        if !opcode.is_control() {
            check_size(length, context)?;
        }
        let Some(&mask) = bytes[start..].first_chunk() else { return Ok(None) };
        // Lossless: a control frame has at most 125 bytes, any other at most `max_message`.
        let header = Self { fin, opcode, length: length as usize, mask };
        Ok(Some((header, start + mask.len())))
    }
}

/// FIN and opcode out of a header's first byte.
pub(crate) fn parse_first(first: u8) -> Result<(bool, Opcode), ProtocolError> {
    let fin = first & 0x80 != 0;
    let reserved = first >> 4 & 7;
    if reserved != 0 {
        return Err(ProtocolError::ReservedBits(reserved));
    }
    let bits = first & 0x0f;
    let opcode = Opcode::from_bits(bits).ok_or(ProtocolError::ReservedOpcode(bits))?;
    if opcode.is_control() && !fin {
        return Err(ProtocolError::FragmentedControl(opcode));
    }
    Ok((fin, opcode))
}

/// The payload length and the offset of what follows it, or `None` when it is incomplete.
pub(crate) fn parse_length(
    opcode: Opcode,
    header: &[u8],
) -> Result<Option<(u64, usize)>, ProtocolError> {
    let Some(&second) = header.get(1) else { return Ok(None) };
    let short = second & 0x7f;
    if opcode.is_control() && short > 125 {
        return Err(ProtocolError::LongControl(short));
    }
    if opcode == Opcode::Close && short == 1 {
        return Err(ProtocolError::CloseBody);
    }
    let extended = &header[2..];
    let (length, least, size) = match short {
        126 => match extended.first_chunk() {
            Some(bytes) => (u16::from_be_bytes(*bytes).into(), 126, 4),
            None => return Ok(None),
        },
        127 => match extended.first_chunk() {
            Some(bytes) => (u64::from_be_bytes(*bytes), 1 << 16, 10),
            None => return Ok(None),
        },
        _ => (short.into(), 0, 2),
    };
    if length >> 63 != 0 {
        return Err(ProtocolError::LengthTopBit(length));
    }
    if length < least {
        return Err(ProtocolError::OverlongLength(length));
    }
    Ok(Some((length, size)))
}

/// Refuses a data frame that would take its message over the limit.
fn check_size(length: u64, context: &Context) -> Result<(), ProtocolError> {
    let length = length + context.open_message.unwrap_or(0) as u64;
    let limit = context.max_message as u64;
    if length > limit { Err(ProtocolError::TooLarge { length, limit }) } else { Ok(()) }
}

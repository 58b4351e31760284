//! The client's side, just enough for tests and load tools: masked frames out, server frames in.
//!
//! It must not grow into a client: no handshake, no reassembly, no UTF-8 check.

use crate::{
    Opcode, ProtocolError,
    header::{parse_first, parse_length},
    mask,
};

/// A whole frame (FIN set) with `payload` masked with `mask`.
pub fn encode(opcode: Opcode, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    encode_raw(0x80 | opcode as u8, payload, mask)
}

/// A frame whose `first` byte (FIN, reserved bits, opcode) is as given, so that tests can also
/// send fragments and frames that break the rules.
pub fn encode_raw(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(first);
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    let start = frame.len();
    frame.extend_from_slice(payload);
    mask::apply(&mut frame[start..], mask);
    frame
}

/// A frame from a server, borrowed from the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerFrame<'a> {
    /// Whether this is the last fragment of its message.
    pub fin: bool,
    /// The kind of frame.
    pub opcode: Opcode,
    /// The payload.
    pub payload: &'a [u8],
}

/// Why a server's frame is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerFrameError {
    /// The frame is masked, which a server must not do (RFC 6455 5.1).
    #[error("masked frame, a server must not mask")]
    Masked,
    /// The header breaks a rule that holds for both sides.
    #[error(transparent)]
    Header(#[from] ProtocolError),
}

/// Reads the first frame of `input`; returns it with its whole size in bytes, or `None` when it
/// is incomplete. How much to wait for is the caller's affair.
///
/// # Errors
///
/// A masked frame or one whose header breaks RFC 6455 5.2 or 5.5.
pub fn parse(input: &[u8]) -> Result<Option<(ServerFrame<'_>, usize)>, ServerFrameError> {
    let (Some(&first), Some(&second)) = (input.first(), input.get(1)) else { return Ok(None) };
    let (fin, opcode) = parse_first(first)?;
    if second & 0x80 != 0 {
        return Err(ServerFrameError::Masked);
    }
    let Some((length, start)) = parse_length(opcode, input)? else { return Ok(None) };
    let rest = &input[start..];
    if length > rest.len() as u64 {
        return Ok(None);
    }
    let payload = &rest[..length as usize]; // lossless: within `rest`
    Ok(Some((ServerFrame { fin, opcode, payload }, start + payload.len())))
}

//! Whole server frames, unmasked (RFC 6455 5.1), each encoded once for any number of receivers.

use bytes::Bytes;

use crate::{Opcode, close_code};

/// The most payload bytes of a control frame (RFC 6455 5.5).
pub const MAX_CONTROL: usize = 125;

/// The most bytes of a server's header: 2 and a 64-bit length.
const ROOM: usize = 10;

/// A text frame with a copy of `payload`, which must be UTF-8.
pub fn text(payload: &[u8]) -> Bytes {
    frame(Opcode::Text, payload)
}

/// A binary frame with a copy of `payload`.
pub fn binary(payload: &[u8]) -> Bytes {
    frame(Opcode::Binary, payload)
}

/// A text frame whose payload is written in place by `write`: the header goes in front of it
/// afterwards, nothing is copied. `size_hint` is the expected payload in bytes; a right one saves
/// a reallocation.
///
/// The vector is not empty when `write` gets it: the first bytes are kept free for the header.
/// `write` may only append, and what it appends must be UTF-8.
pub fn text_with(size_hint: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    frame_with(Opcode::Text, size_hint, write)
}

/// A close frame. `reason` is cut to 123 bytes, at the end of a character.
///
/// A `code` that must not be sent (see [`close_code::is_valid`]), such as
/// [`close_code::NO_STATUS`], makes a close frame with an empty body.
pub fn close(code: u16, reason: &str) -> Bytes {
    if !close_code::is_valid(code) {
        return frame(Opcode::Close, &[]);
    }
    let code = code.to_be_bytes();
    let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL - code.len())];
    frame_with(Opcode::Close, code.len() + reason.len(), |body| {
        body.extend_from_slice(&code);
        body.extend_from_slice(reason.as_bytes());
    })
}

/// A ping frame. `payload` is cut to 125 bytes.
pub fn ping(payload: &[u8]) -> Bytes {
    frame(Opcode::Ping, &payload[..payload.len().min(MAX_CONTROL)])
}

/// A pong frame. `payload`, the one of the ping it answers, is cut to 125 bytes.
pub fn pong(payload: &[u8]) -> Bytes {
    frame(Opcode::Pong, &payload[..payload.len().min(MAX_CONTROL)])
}

fn frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    frame_with(opcode, payload.len(), |body| body.extend_from_slice(payload))
}

fn frame_with(opcode: Opcode, size_hint: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut frame = Vec::with_capacity(ROOM + size_hint);
    frame.resize(ROOM, 0);
    write(&mut frame);
    // Only shorter if `write` removed what was not its own; then there is no payload.
    frame.resize(frame.len().max(ROOM), 0);
    let (header, size) = header(opcode, frame.len() - ROOM);
    frame[..ROOM].copy_from_slice(&header);
    Bytes::from(frame).slice(ROOM - size..)
}

/// The header of an unfragmented frame with `length` payload bytes, at the right end of the
/// array, and its size in bytes.
fn header(opcode: Opcode, length: usize) -> ([u8; ROOM], usize) {
    let mut header = [0; ROOM];
    let length = length as u64;
    header[2..].copy_from_slice(&length.to_be_bytes());
    let (size, short) = match length {
        0..=125 => (2, length as u8),
        126..=0xffff => (4, 126),
        _ => (10, 127),
    };
    header[ROOM - size] = 0x80 | opcode as u8;
    header[ROOM - size + 1] = short;
    (header, size)
}

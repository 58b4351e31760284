//! The examples of RFC 6455 5.7, byte for byte.

mod support;

use support::{Event, decode_every_way, ping, pong, text};
use websocket::{
    Opcode,
    client::{self, ServerFrame},
};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn decode(stream: &[u8]) -> Vec<Event> {
    decode_every_way(1 << 20, stream)
}

#[test]
fn a_single_frame_text_message() {
    let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(decode(masked), [text("Hello")]);
    assert_eq!(client::encode(Opcode::Text, b"Hello", MASK), masked);
    assert_eq!(websocket::text(b"Hello"), &b"\x81\x05\x48\x65\x6c\x6c\x6f"[..]);
}

#[test]
fn a_fragmented_text_message() {
    let first = b"\x01\x03\x48\x65\x6c";
    let last = b"\x80\x02\x6c\x6f";
    let frame = |fin, opcode, payload| ServerFrame { fin, opcode, payload };
    assert_eq!(client::parse(first), Ok(Some((frame(false, Opcode::Text, b"Hel"), 5))));
    assert_eq!(client::parse(last), Ok(Some((frame(true, Opcode::Continuation, b"lo"), 4))));

    let masked = [client::encode_raw(0x01, b"Hel", MASK), client::encode_raw(0x80, b"lo", MASK)];
    assert_eq!(decode(&masked.concat()), [text("Hello")]);
}

#[test]
fn a_ping_and_its_pong() {
    assert_eq!(websocket::ping(b"Hello"), &b"\x89\x05\x48\x65\x6c\x6c\x6f"[..]);
    assert_eq!(decode(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), [pong(b"Hello")]);
    assert_eq!(decode(b"\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), [ping(b"Hello")]);
}

#[test]
fn binary_of_256_bytes_and_of_64_kib() {
    assert_eq!(websocket::binary(&[9; 256])[..4], b"\x82\x7e\x01\x00"[..]);
    let frame = websocket::binary(&[9; 65_536]);
    assert_eq!(frame[..10], b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"[..]);
}

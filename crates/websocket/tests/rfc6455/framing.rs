//! Section 1: whole text and binary messages around every change of the length's form.

use crate::{
    LIMIT, check,
    support::{BINARY, FIN, TEXT, binary, decode_every_way, refused, text},
};
use websocket::ProtocolError;

const LENGTHS: [usize; 11] = [0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537, 200_000];

#[test]
fn text_of_every_length() {
    for length in LENGTHS {
        let payload = "*".repeat(length);
        check(&length.to_string(), &[(FIN | TEXT, payload.as_bytes())], &[text(&payload)]);
    }
}

#[test]
fn binary_of_every_length() {
    for length in LENGTHS {
        let payload = vec![0xfe; length];
        check(&length.to_string(), &[(FIN | BINARY, &payload)], &[binary(&payload)]);
    }
}

#[test]
fn many_messages_in_a_row() {
    let frames: Vec<(u8, &[u8])> = vec![(FIN | TEXT, b"again"); 500];
    check("500 messages", &frames, &vec![text("again"); 500]);
}

#[test]
fn unmasked_frames_are_refused() {
    for frame in [&b"\x81\x02hi"[..], b"\x89\x00", b"\x82\x7e\x01\x00"] {
        assert_eq!(decode_every_way(LIMIT, frame), [refused(ProtocolError::Unmasked)]);
    }
}

#[test]
fn a_length_must_be_in_its_shortest_form() {
    let cases: [(&[u8], ProtocolError); 6] = [
        (b"\x81\xfe\x00\x00", ProtocolError::OverlongLength(0)),
        (b"\x81\xfe\x00\x7d", ProtocolError::OverlongLength(125)),
        (b"\x82\xff\0\0\0\0\0\0\0\x05", ProtocolError::OverlongLength(5)),
        (b"\x82\xff\0\0\0\0\0\0\xff\xff", ProtocolError::OverlongLength(65_535)),
        (b"\x82\xff\x80\0\0\0\0\0\0\0", ProtocolError::LengthTopBit(1 << 63)),
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", ProtocolError::LengthTopBit(u64::MAX)),
    ];
    for (header, error) in cases {
        assert_eq!(decode_every_way(LIMIT, header), [refused(error)], "{header:02x?}");
    }
}

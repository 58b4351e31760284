//! Section 9, in small: long messages arrive, messages over the limit are refused by their header.

use crate::support::{
    BINARY, CONTINUATION, FIN, MASK, PING, TEXT, binary, decode_every_way, ping, refused, stream,
    text,
};
use websocket::{ProtocolError, client};

#[test]
fn long_messages_in_one_frame_and_in_fragments() {
    let long = "0123456789abcdef".repeat(1 << 13);
    let bytes = long.as_bytes();
    let whole = stream(&[(FIN | TEXT, bytes), (FIN | BINARY, bytes)]);
    assert_eq!(decode_every_way(bytes.len(), &whole), [text(&long), binary(bytes)]);

    for size in [64, 1000, 1 << 16] {
        let mut frames: Vec<_> = bytes.chunks(size).map(|part| (CONTINUATION, part)).collect();
        frames[0].0 = TEXT;
        frames.push((FIN, b""));
        assert_eq!(decode_every_way(bytes.len(), &stream(&frames)), [text(&long)], "{size}");
    }
}

#[test]
fn a_frame_over_the_limit_is_refused_by_its_header() {
    for limit in [0, 1, 125, 126, 1000, 65_535, 65_536] {
        let payload = vec![b'x'; limit + 1];
        let error = ProtocolError::TooLarge { length: limit as u64 + 1, limit: limit as u64 };
        assert_eq!(error.close_code(), 1009);
        let fits = stream(&[(FIN | TEXT, &payload[1..])]);
        assert_eq!(decode_every_way(limit, &fits).len(), 1);
        let frame = client::encode_raw(FIN | TEXT, &payload, MASK);
        // The header without the masking key is enough.
        let header = &frame[..frame.len() - payload.len() - MASK.len()];
        assert_eq!(decode_every_way(limit, header), [refused(error)], "{limit}");
    }
}

#[test]
fn the_largest_claims_do_not_overflow() {
    let claim = i64::MAX as u64;
    let mut huge = stream(&[(TEXT, b"x")]);
    huge.extend_from_slice(b"\x00\xff");
    huge.extend_from_slice(&claim.to_be_bytes());
    let error = ProtocolError::TooLarge { length: claim + 1, limit: 1 << 20 };
    assert_eq!(decode_every_way(1 << 20, &huge), [refused(error)]);
}

#[test]
fn fragments_count_together() {
    let error = ProtocolError::TooLarge { length: 11, limit: 10 };
    assert_eq!(
        decode_every_way(10, &stream(&[(TEXT, b"123456"), (PING, b"long ping"), (FIN, b"7890x")])),
        [ping(b"long ping"), refused(error)],
    );
    assert_eq!(
        decode_every_way(10, &stream(&[(TEXT, b"123456"), (FIN, b"7890"), (FIN | TEXT, b"next")])),
        [text("1234567890"), text("next")],
    );
}

#[test]
fn control_frames_do_not_count() {
    assert_eq!(decode_every_way(0, &stream(&[(PING, &[7; 125])])), [ping(&[7; 125])]);
}

//! Section 6: text is UTF-8, wherever the fragments cut it, and a breach shows at once.

use crate::{
    LIMIT, check,
    support::{
        BINARY, CONTINUATION, FIN, MASK, PING, TEXT, binary, decode, ping, refused, stream, text,
    },
};
use websocket::{ProtocolError, client};

const GREETING: &str = "Hello-µ@ßöäüàá-UTF-8!! κόσμε 日本語 𝄞";

const VALID: [&str; 12] = [
    "\0",
    "\u{7f}",
    "\u{80}",
    "\u{7ff}",
    "\u{800}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{fffd}",
    "\u{ffff}", // a non-character is still valid
    "\u{10000}",
    "\u{1fffe}",
    "\u{10ffff}",
];

const INVALID: [&[u8]; 20] = [
    b"\x80",
    b"\xbf\x80",
    b"\xc0\x80", // overlong NUL
    b"\xc0\xaf", // overlong '/'
    b"\xc1\xbf",
    b"\xe0\x80\xaf", // overlong in three bytes
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\xaf", // overlong in four bytes
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80", // surrogates
    b"\xed\xaf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80", // above U+10FFFF
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80", // five and six bytes
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xce\x41", // a character that is not finished
    b"\xf0\x9d\x84\x41",
];

#[test]
fn valid_text_in_one_frame_and_cut_at_every_byte() {
    for valid in VALID.into_iter().chain([GREETING]) {
        let bytes = valid.as_bytes();
        check(valid, &[(FIN | TEXT, bytes)], &[text(valid)]);
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            let frames = [(TEXT, head), (PING, b""), (CONTINUATION, b""), (FIN, tail)];
            check(valid, &frames, &[ping(b""), text(valid)]);
        }
    }
}

#[test]
fn valid_text_in_fragments_of_one_byte() {
    let bytes: Vec<_> = GREETING.bytes().map(|byte| [byte]).collect();
    let mut frames: Vec<_> = bytes.iter().map(|byte| (CONTINUATION, &byte[..])).collect();
    frames[0].0 = TEXT;
    frames.push((FIN, b""));
    check("byte by byte", &frames, &[text(GREETING)]);
}

#[test]
fn invalid_text_is_refused_wherever_it_is_cut() {
    for invalid in INVALID {
        let payload = [GREETING.as_bytes(), invalid, b"edited"].concat();
        let case = format!("{invalid:02x?}");
        check(&case, &[(FIN | TEXT, &payload)], &[refused(ProtocolError::Utf8)]);
        for at in 0..=payload.len() {
            let (head, tail) = payload.split_at(at);
            check(&case, &[(TEXT, head), (FIN, tail)], &[refused(ProtocolError::Utf8)]);
        }
    }
}

#[test]
fn text_must_not_end_inside_a_character() {
    for cut in [&b"\xce"[..], b"\xe6\x97", b"\xf0\x9d\x84"] {
        check("one frame", &[(FIN | TEXT, cut)], &[refused(ProtocolError::Utf8)]);
        check("empty end", &[(TEXT, cut), (FIN, b"")], &[refused(ProtocolError::Utf8)]);
    }
}

#[test]
fn a_breach_shows_before_the_message_ends() {
    // Not even the frame is complete: the second half of its payload never comes.
    let mut payload = b"\xce\xba\xf4\x90\x80\x80".to_vec();
    payload.resize(1000, b'x');
    let frame = client::encode_raw(FIN | TEXT, &payload, MASK);
    let arrived = &frame[..500];
    assert_eq!(decode(LIMIT, arrived.chunks(1)), [refused(ProtocolError::Utf8)]);
    assert_eq!(decode(LIMIT, std::iter::once(arrived)), [refused(ProtocolError::Utf8)]);

    let open = stream(&[(TEXT, b"\xff"), (PING, b"")]);
    assert_eq!(decode(LIMIT, std::iter::once(&open[..])), [refused(ProtocolError::Utf8)]);
}

#[test]
fn binary_may_be_anything() {
    for invalid in INVALID {
        check("whole", &[(FIN | BINARY, invalid)], &[binary(invalid)]);
        check("cut", &[(BINARY, invalid), (FIN, invalid)], &[binary(&invalid.repeat(2))]);
    }
}

//! Section 5: fragments, control frames between them, and what must not be between them.

use crate::{
    check,
    support::{
        BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, binary, close, ping, pong, refused,
        text,
    },
};
use websocket::{Opcode, ProtocolError};

#[test]
fn fragments_make_one_message() {
    check("two", &[(TEXT, b"frag1"), (FIN, b"frag2")], &[text("frag1frag2")]);
    check("binary", &[(BINARY, b"\xff"), (CONTINUATION, b""), (FIN, b"\0")], &[binary(b"\xff\0")]);
    check("all empty", &[(TEXT, b""), (CONTINUATION, b""), (FIN, b"")], &[text("")]);
    check("empty end", &[(TEXT, b""), (CONTINUATION, b"middle"), (FIN, b"")], &[text("middle")]);
}

#[test]
fn control_frames_may_come_between_fragments() {
    check(
        "pings everywhere",
        &[
            (TEXT, b"fragment1"),
            (PING, b"ping 1"),
            (CONTINUATION, b"fragment2"),
            (PONG, b""),
            (PING, b"ping 2"),
            (FIN, b"fragment3"),
            (FIN | TEXT, b"next"),
        ],
        &[
            ping(b"ping 1"),
            pong(b""),
            ping(b"ping 2"),
            text("fragment1fragment2fragment3"),
            text("next"),
        ],
    );
    check("close", &[(TEXT, b"cut"), (CLOSE, b"\x03\xe8")], &[close(1000, "")]);
}

#[test]
fn control_frames_must_not_be_fragmented() {
    for (first, opcode) in [(8, Opcode::Close), (9, Opcode::Ping), (10, Opcode::Pong)] {
        check(
            "without fin",
            &[(first, b"fragment1"), (FIN, b"fragment2")],
            &[refused(ProtocolError::FragmentedControl(opcode))],
        );
    }
}

#[test]
fn a_continuation_needs_a_message() {
    for first in [CONTINUATION, FIN | CONTINUATION] {
        for payload in [&b""[..], b"non-continuation payload"] {
            check(
                "nothing to continue",
                &[(first, payload), (FIN | TEXT, b"Hello")],
                &[refused(ProtocolError::UnexpectedContinuation)],
            );
            check(
                "the message was complete",
                &[(TEXT, b"a"), (FIN, b"b"), (first, payload)],
                &[text("ab"), refused(ProtocolError::UnexpectedContinuation)],
            );
        }
    }
}

#[test]
fn a_message_must_end_before_the_next_begins() {
    for (first, opcode) in [
        (TEXT, Opcode::Text),
        (FIN | TEXT, Opcode::Text),
        (BINARY, Opcode::Binary),
        (FIN | BINARY, Opcode::Binary),
    ] {
        for open in [&b""[..], b"open"] {
            check(
                "a second message inside",
                &[(TEXT, open), (PING, b""), (first, b"second")],
                &[ping(b""), refused(ProtocolError::ExpectedContinuation(opcode))],
            );
        }
    }
}

#[test]
fn many_small_fragments() {
    let mut frames: Vec<(u8, &[u8])> = vec![(CONTINUATION, b"ab"); 1000];
    frames[0].0 = TEXT;
    frames[999].0 = FIN;
    check("1000 fragments", &frames, &[text(&"ab".repeat(1000))]);
}

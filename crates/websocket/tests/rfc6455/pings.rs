//! Section 2: pings and pongs of every permitted size, also unasked for.

use crate::{
    check,
    support::{BINARY, FIN, PING, PONG, TEXT, ping, pong, refused, text},
};
use websocket::ProtocolError;

#[test]
fn pings_of_every_size() {
    for payload in [&b""[..], b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", &[0xfe; 125]] {
        check("ping", &[(PING, payload)], &[ping(payload)]);
        check("pong", &[(PONG, payload)], &[pong(payload)]);
    }
}

#[test]
fn a_control_frame_of_126_bytes_is_refused() {
    for first in [PING, PONG] {
        check("126", &[(first, &[0; 126])], &[refused(ProtocolError::LongControl(126))]);
        check("65536", &[(first, &[0; 65_536])], &[refused(ProtocolError::LongControl(127))]);
    }
}

#[test]
fn unsolicited_pongs_are_harmless() {
    check(
        "pongs, then a ping",
        &[(PONG, b""), (PONG, b"unsolicited"), (PING, b"real")],
        &[pong(b""), pong(b"unsolicited"), ping(b"real")],
    );
}

#[test]
fn ten_pings_keep_their_order() {
    let payloads: Vec<String> = (0..10).map(|n| format!("payload {n}")).collect();
    let frames: Vec<_> = payloads.iter().map(|p| (PING, p.as_bytes())).collect();
    let expected: Vec<_> = payloads.iter().map(|p| ping(p.as_bytes())).collect();
    check("10 pings", &frames, &expected);
}

#[test]
fn text_of_125_bytes_is_not_bound_by_the_control_limit() {
    let long = "x".repeat(126);
    check(
        "126 bytes of text between pings",
        &[(PING, b"a"), (FIN | TEXT, long.as_bytes()), (PING, b"b"), (FIN | BINARY, b"")],
        &[ping(b"a"), text(&long), ping(b"b"), crate::support::binary(b"")],
    );
}

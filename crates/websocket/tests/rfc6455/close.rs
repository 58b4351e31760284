//! Section 7: the closing handshake, its codes and reasons.

use crate::{
    check,
    support::{CLOSE, CONTINUATION, FIN, PING, TEXT, close, refused, text},
};
use websocket::ProtocolError;

fn body(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

#[test]
fn what_follows_a_close_is_discarded() {
    for after in [
        (PING, &b""[..]),
        (CLOSE, b"\x03\xe8"),
        (FIN | TEXT, b"late"),
        (CONTINUATION, b"stray"),
        (0xff, b"nonsense"),
    ] {
        check(
            "after close",
            &[(FIN | TEXT, b"in time"), (CLOSE, b"\x03\xe8bye"), after],
            &[text("in time"), close(1000, "bye")],
        );
    }
}

#[test]
fn bodies_of_every_form() {
    let longest = "*".repeat(123);
    check("empty", &[(CLOSE, b"")], &[close(None, "")]);
    check("one byte", &[(CLOSE, b"a")], &[refused(ProtocolError::CloseBody)]);
    check("code", &[(CLOSE, &body(1000, b""))], &[close(1000, "")]);
    check("reason", &[(CLOSE, &body(1001, "tschüß".as_bytes()))], &[close(1001, "tschüß")]);
    check("longest", &[(CLOSE, &body(1000, longest.as_bytes()))], &[close(1000, &longest)]);
    check("too long", &[(CLOSE, &[3; 126])], &[refused(ProtocolError::LongControl(126))]);
}

#[test]
fn a_reason_must_be_utf8() {
    check(
        "surrogate",
        &[(CLOSE, &body(1000, b"Hello-\xed\xa0\x80-UTF-8"))],
        &[refused(ProtocolError::Utf8)],
    );
    check("cut character", &[(CLOSE, &body(1000, b"\xce"))], &[refused(ProtocolError::Utf8)]);
}

#[test]
fn every_code() {
    for code in 0..=u16::MAX {
        let frame = websocket::client::encode(websocket::Opcode::Close, &body(code, b""), [9; 4]);
        let permitted = (1000..1004).contains(&code)
            || (1007..1015).contains(&code)
            || (3000..5000).contains(&code);
        let expected =
            if permitted { close(code, "") } else { refused(ProtocolError::CloseCode(code)) };
        assert_eq!(crate::support::decode(125, std::iter::once(&frame[..])), [expected]);
    }
}

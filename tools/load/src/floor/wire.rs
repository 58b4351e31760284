//! The bytes that the reference server sends, built beforehand as far as they can be, and the
//! few it looks for. It must not know sockets.

use crate::client::websocket::ACCEPT;
use crate::net::frames;
use memchr::memmem;
use std::io::Write;

/// The answer to every publish (H1).
pub(super) const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
/// The answer to a body that does not begin as this load generator writes it.
pub(super) const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
/// The answer to any other path.
pub(super) const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
/// The frame that answers `pusher:ping` (W9): 35 bytes behind their header.
pub(super) const PONG: &[u8] = b"\x81\x23{\"event\":\"pusher:pong\",\"data\":\"{}\"}";

const NAME: &[u8] = b"{\"name\":";
const EVENT: &[u8] = b"{\"event\":";

/// Appends the answer to an upgrade and the first frame (W5) with a socket id made of `index`.
pub(super) fn push_welcome(out: &mut Vec<u8>, index: usize) {
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    );
    let established = format!(
        r#"{{"event":"pusher:connection_established","data":"{{\"socket_id\":\"1.{index}\",\"activity_timeout\":120}}"}}"#
    );
    frames::push_server(out, frames::TEXT, established.as_bytes());
}

/// Appends `subscription_succeeded` (W24).
pub(super) fn push_succeeded(out: &mut Vec<u8>, channel: &[u8]) {
    const BEFORE: &[u8] =
        b"{\"event\":\"pusher_internal:subscription_succeeded\",\"data\":\"{}\",\"channel\":\"";
    frames::push_text_header(out, BEFORE.len() + channel.len() + 2);
    out.extend_from_slice(BEFORE);
    out.extend_from_slice(channel);
    out.extend_from_slice(b"\"}");
}

/// Appends the event frame (W36) for a publish's body, which is that JSON object already but for
/// its first key. False if it begins with another key.
pub(super) fn push_event(out: &mut Vec<u8>, body: &[u8]) -> bool {
    let Some(rest) = body.strip_prefix(NAME) else { return false };
    frames::push_text_header(out, EVENT.len() + rest.len());
    out.extend_from_slice(EVENT);
    out.extend_from_slice(rest);
    true
}

/// The channel named in a publish's body.
pub(super) fn channel(json: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"\"channel\":\"";
    let rest = &json[memmem::find(json, KEY)? + KEY.len()..];
    rest.get(..memchr::memchr(b'"', rest)?)
}

/// The channel of a `pusher:subscribe` frame, `None` in any other.
pub(super) fn subscription(frame: &[u8]) -> Option<&[u8]> {
    memmem::find(frame, b"pusher:subscribe").and_then(|_| channel(frame))
}

/// True for a `pusher:ping` frame.
pub(super) fn is_ping(frame: &[u8]) -> bool {
    memmem::find(frame, b"pusher:ping").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::frames::Frames;

    #[test]
    fn a_body_becomes_its_frame() {
        let mut out = Vec::new();
        assert!(push_event(&mut out, br#"{"name":"E","channel":"a","data":"1"}"#));
        push_succeeded(&mut out, b"a");
        out.extend_from_slice(PONG);
        let frames: Vec<_> = Frames { rest: &out }.map(|frame| frame.payload.to_vec()).collect();
        assert_eq!(frames[0], br#"{"event":"E","channel":"a","data":"1"}"#);
        let succeeded =
            r#"{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"a"}"#;
        assert_eq!(frames[1], succeeded.as_bytes());
        assert_eq!(frames[2], br#"{"event":"pusher:pong","data":"{}"}"#);
        assert!(!push_event(&mut out, br#"{"channel":"a","name":"E"}"#));
        assert_eq!(
            subscription(br#"{"event":"pusher:subscribe","data":{"channel":"b"}}"#),
            Some(b"b".as_slice())
        );
        assert_eq!(subscription(br#"{"event":"client-x","channel":"b"}"#), None);
    }
}

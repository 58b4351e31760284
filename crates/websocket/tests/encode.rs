//! Server frames: what they look like, and that a client reads the same payload out of them.

use websocket::{
    Opcode, ProtocolError, binary,
    client::{self, ServerFrameError},
    close, close_code, ping, pong, text, text_with,
};

/// Opcode and payload of the only frame in `bytes`, which must not be masked.
#[track_caller]
fn parse(bytes: &[u8]) -> (Opcode, &[u8]) {
    let (frame, size) = client::parse(bytes).expect("a lawful frame").expect("a whole frame");
    assert_eq!(size, bytes.len());
    assert!(frame.fin);
    (frame.opcode, frame.payload)
}

#[test]
fn headers_have_the_shortest_form() {
    for (length, header) in [
        (0, &b"\x81\x00"[..]),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\0\0\0\0\0\x01\0\0"),
    ] {
        let payload = vec![b'x'; length];
        let frame = text(&payload);
        assert_eq!(frame[..header.len()], *header, "{length}");
        assert_eq!(frame[header.len()..], payload);
        assert_eq!(parse(&frame), (Opcode::Text, &payload[..]));
        assert_eq!(parse(&binary(&payload)), (Opcode::Binary, &payload[..]));
    }
}

#[test]
fn written_in_place_is_the_same_whatever_the_hint() {
    for length in [0, 1, 125, 126, 65_535, 65_536] {
        let payload = "y".repeat(length);
        for hint in [0, length, length + 1000] {
            let frame = text_with(hint, |out| out.extend_from_slice(payload.as_bytes()));
            assert_eq!(frame, text(payload.as_bytes()), "{length} with hint {hint}");
        }
    }
}

#[test]
fn a_writer_that_clears_the_room_for_the_header_makes_an_empty_frame() {
    assert_eq!(text_with(0, Vec::clear), text(b""));
}

#[test]
fn control_frames_never_exceed_125_bytes() {
    assert_eq!(parse(&ping(b"are you there")), (Opcode::Ping, &b"are you there"[..]));
    assert_eq!(parse(&pong(&[7; 125])), (Opcode::Pong, &[7; 125][..]));
    assert_eq!(parse(&ping(&[7; 126])).1.len(), 125);
    assert_eq!(parse(&pong(&[7; 5000])).1.len(), 125);
}

#[test]
fn close_carries_code_and_reason() {
    let frame = close(4001, "app key does not exist");
    assert_eq!(parse(&frame), (Opcode::Close, &b"\x0f\xa1app key does not exist"[..]));
    assert_eq!(parse(&close(1000, "")).1, b"\x03\xe8");
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let reason = format!("{}é and more", "x".repeat(122));
    assert_eq!(parse(&close(1000, &reason)).1.len(), 2 + 122);
    assert_eq!(parse(&close(1000, &"x".repeat(124))).1.len(), 2 + 123);
}

#[test]
fn codes_that_must_not_be_sent_are_left_out() {
    for code in [0, 999, 1004, close_code::NO_STATUS, 1006, 1015, 2999, 5000] {
        assert_eq!(close(code, "reason"), &b"\x88\x00"[..], "{code}");
    }
}

#[test]
fn the_client_waits_for_incomplete_frames() {
    let frame = text(&[b'x'; 300]);
    for end in 0..frame.len() {
        assert_eq!(client::parse(&frame[..end]), Ok(None), "{end}");
    }
}

#[test]
fn the_client_refuses_what_a_server_must_not_send() {
    let masked = client::encode(Opcode::Text, b"hi", [1; 4]);
    assert_eq!(client::parse(&masked), Err(ServerFrameError::Masked));
    for (bytes, error) in [
        (&b"\xc1\x00"[..], ProtocolError::ReservedBits(4)),
        (b"\x83\x00", ProtocolError::ReservedOpcode(3)),
        (b"\x09\x00", ProtocolError::FragmentedControl(Opcode::Ping)),
        (b"\x89\x7e", ProtocolError::LongControl(126)),
        (b"\x81\x7e\0\x01", ProtocolError::OverlongLength(1)),
    ] {
        assert_eq!(client::parse(bytes), Err(error.into()), "{bytes:02x?}");
    }
}

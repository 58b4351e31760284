//! The pull handle: chops change nothing, verdicts are final, and nothing gets lost silently.

mod support;

use support::{
    BINARY, CLOSE, CONTINUATION, FIN, MASK, PING, TEXT, decode, decode_every_way, stream,
    streams::{for_all, hostile},
};
use websocket::{Decoder, Message, Opcode, ProtocolError, client};

#[test]
fn a_cut_at_any_two_places_changes_nothing() {
    let stream = stream(&[
        (FIN | TEXT, "grüße".as_bytes()),
        (TEXT, &"é".as_bytes()[..1]),
        (PING, b"p"),
        (CONTINUATION, b""),
        (FIN, &"é".as_bytes()[1..]),
        (FIN | BINARY, &[0xff; 126]),
        (CLOSE, b"\x03\xe8bye"),
    ]);
    let whole = decode(1000, std::iter::once(&stream[..]));
    assert_eq!(whole.len(), 5);
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let chunks = [&stream[..first], &stream[first..second], &stream[second..]];
            assert_eq!(decode(1000, chunks.into_iter()), whole, "cut at {first} and {second}");
        }
    }
}

#[test]
fn chops_never_change_the_verdict_on_hostile_streams() {
    for_all(1000, hostile(true), |stream| {
        decode_every_way(70_000, &stream);
    });
}

#[test]
fn noise_never_panics() {
    for_all(2000, proptest::collection::vec(proptest::num::u8::ANY, 0..300), |stream| {
        decode_every_way(200, &stream);
    });
}

#[test]
fn every_masking_key_and_offset_is_undone() {
    let payload: Vec<u8> = (0..=255).cycle().take(300).collect();
    for length in 0..payload.len() {
        let key = [length as u8, 0xa5, (length * 7) as u8, 0];
        let frame = client::encode(Opcode::Binary, &payload[..length], key);
        for (index, byte) in frame[frame.len() - length..].iter().enumerate() {
            assert_eq!(*byte, payload[index] ^ key[index % 4]);
        }
        let expected = [support::binary(&payload[..length])];
        assert_eq!(decode_every_way(1000, &frame), expected, "{length}");
    }
}

#[test]
fn a_verdict_is_final() {
    let mut decoder = Decoder::new(100);
    let mut input = *b"\x81\x00";
    let mut frames = decoder.feed(&mut input);
    assert_eq!(frames.next(), Err(ProtocolError::Unmasked));
    assert_eq!(frames.next(), Err(ProtocolError::Unmasked));
    let mut lawful = client::encode(Opcode::Text, b"too late", MASK);
    assert_eq!(decoder.feed(&mut lawful).next(), Err(ProtocolError::Unmasked));
    assert_eq!(decoder.feed(&mut []).next(), Err(ProtocolError::Unmasked));
}

#[test]
fn input_after_a_close_is_discarded_also_in_later_feeds() {
    let mut decoder = Decoder::new(100);
    let mut input = stream(&[(CLOSE, b""), (FIN | TEXT, b"late")]);
    assert_eq!(decoder.feed(&mut input).next(), Ok(Some(Message::Close(None, ""))));
    let mut later = client::encode(Opcode::Text, b"later", MASK);
    assert_eq!(decoder.feed(&mut later).next(), Ok(None));
    assert!(decoder.is_idle());
}

#[test]
fn stopping_early_and_feeding_again_is_reported() {
    let mut decoder = Decoder::new(100);
    let mut input = stream(&[(FIN | TEXT, b"one"), (FIN | TEXT, b"two")]);
    assert_eq!(decoder.feed(&mut input).next(), Ok(Some(Message::Text("one"))));
    let mut more = stream(&[(FIN | TEXT, b"three")]);
    assert_eq!(decoder.feed(&mut more).next(), Err(ProtocolError::Unread));
    assert_eq!(ProtocolError::Unread.close_code(), 1011);
}

#[test]
fn an_empty_feed_is_nothing() {
    let mut decoder = Decoder::new(100);
    assert_eq!(decoder.feed(&mut []).next(), Ok(None));
    drop(decoder.feed(&mut [])); // without pulling
    let mut input = client::encode(Opcode::Text, b"", MASK);
    let mut frames = decoder.feed(&mut input);
    assert_eq!(frames.next(), Ok(Some(Message::Text(""))));
    assert_eq!(frames.next(), Ok(None));
    assert_eq!(frames.next(), Ok(None));
}

#[test]
fn close_codes_of_the_verdicts() {
    for (bytes, code) in [
        (client::encode_raw(FIN | TEXT, b"\xff", MASK), 1007),
        (client::encode_raw(FIN | TEXT, &[b'x'; 101], MASK), 1009),
        (client::encode_raw(FIN | 3, b"", MASK), 1002),
    ] {
        let mut bytes = bytes;
        let error = Decoder::new(100).feed(&mut bytes).next().map(|_| ()).unwrap_err();
        assert_eq!(error.close_code(), code, "{error}");
    }
}

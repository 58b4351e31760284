//! The decoder on arbitrary streams: it never panics, and how the network chops a stream changes
//! neither its messages nor its verdict.

#![no_main]

use libfuzzer_sys::{arbitrary::Unstructured, fuzz_target};
use websocket::{Decoder, Message, ProtocolError};

/// In bytes; low, so that the fuzzer reaches it.
const LIMIT: usize = 600;

#[derive(Debug, PartialEq)]
enum Event {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Refused(ProtocolError),
}

fn decode<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Decoder::new(LIMIT);
    let mut events = Vec::new();
    for chunk in chunks {
        let mut chunk = chunk.to_vec();
        let mut frames = decoder.feed(&mut chunk);
        loop {
            events.push(match frames.next() {
                Ok(Some(Message::Text(text))) => Event::Text(text.into()),
                Ok(Some(Message::Binary(bytes))) => Event::Binary(bytes.into()),
                Ok(Some(Message::Ping(bytes))) => Event::Ping(bytes.into()),
                Ok(Some(Message::Pong(bytes))) => Event::Pong(bytes.into()),
                Ok(Some(Message::Close(code, reason))) => Event::Close(code, reason.into()),
                Ok(None) => break,
                Err(error) => {
                    events.push(Event::Refused(error));
                    return events;
                }
            });
        }
    }
    events
}

// The input's first byte says how many chop sizes follow it; the rest is the stream.
fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let count: u8 = input.arbitrary().unwrap_or(0);
    let sizes = input.bytes(usize::from(count % 16).min(input.len())).unwrap_or(&[]);
    let stream = input.take_rest();

    let whole = decode(std::iter::once(stream));
    assert_eq!(decode(stream.chunks(1)), whole, "byte by byte");

    let mut rest = stream;
    let mut sizes = sizes.iter().cycle();
    let chops = std::iter::from_fn(|| {
        let size = usize::from(*sizes.next()?).max(1).min(rest.len());
        let (chop, after) = rest.split_at(size);
        rest = after;
        (!chop.is_empty()).then_some(chop)
    });
    let chops: Vec<_> = if count % 16 == 0 { vec![stream] } else { chops.collect() };
    // Without sizes, when the input was too short for any, there is no stream either.
    assert_eq!(decode(chops.into_iter()), whole, "in chops");
});

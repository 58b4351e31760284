//! What the tests share: decoding a stream in several chops into owned events.

#![allow(dead_code)] // every test binary uses a part of it

pub(crate) mod streams;

use websocket::{Decoder, Message, ProtocolError, client};

pub(crate) const FIN: u8 = 0x80;
pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = FIN | 8;
pub(crate) const PING: u8 = FIN | 9;
pub(crate) const PONG: u8 = FIN | 10;

pub(crate) const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What a decoder gave, owned so that it can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Refused(ProtocolError),
}

impl From<Message<'_>> for Event {
    fn from(message: Message<'_>) -> Self {
        match message {
            Message::Text(text) => Self::Text(text.into()),
            Message::Binary(bytes) => Self::Binary(bytes.into()),
            Message::Ping(bytes) => Self::Ping(bytes.into()),
            Message::Pong(bytes) => Self::Pong(bytes.into()),
            Message::Close(code, reason) => Self::Close(code, reason.into()),
        }
    }
}

pub(crate) fn text(text: &str) -> Event {
    Event::Text(text.into())
}

pub(crate) fn binary(bytes: &[u8]) -> Event {
    Event::Binary(bytes.into())
}

pub(crate) fn ping(bytes: &[u8]) -> Event {
    Event::Ping(bytes.into())
}

pub(crate) fn pong(bytes: &[u8]) -> Event {
    Event::Pong(bytes.into())
}

pub(crate) fn close(code: impl Into<Option<u16>>, reason: &str) -> Event {
    Event::Close(code.into(), reason.into())
}

pub(crate) fn refused(error: ProtocolError) -> Event {
    Event::Refused(error)
}

/// The bytes of masked frames with the given first bytes and payloads.
pub(crate) fn stream(frames: &[(u8, &[u8])]) -> Vec<u8> {
    frames.iter().flat_map(|(first, payload)| client::encode_raw(*first, payload, MASK)).collect()
}

/// Feeds the chunks one after another; ends at the first refusal.
pub(crate) fn decode<'a>(limit: usize, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for chunk in chunks {
        let mut chunk = chunk.to_vec();
        let mut frames = decoder.feed(&mut chunk);
        loop {
            match frames.next() {
                Ok(Some(message)) => events.push(message.into()),
                Ok(None) => break,
                Err(error) => {
                    events.push(Event::Refused(error));
                    return events;
                }
            }
        }
    }
    events
}

/// Decodes the stream whole, byte by byte and in chops of random sizes; all must agree.
#[track_caller]
pub(crate) fn decode_every_way(limit: usize, stream: &[u8]) -> Vec<Event> {
    let whole = decode(limit, std::iter::once(stream));
    assert_eq!(decode(limit, stream.chunks(1)), whole, "byte by byte");
    // Repeatable without a seed: chops follow from a fixed xorshift.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for scale in [3, 9, 40, 1000, 70_000] {
        let mut chops = Vec::new();
        let mut rest = stream;
        while !rest.is_empty() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (chop, after) = rest.split_at(rest.len().min(1 + (random % scale) as usize));
            chops.push(chop);
            rest = after;
        }
        assert_eq!(decode(limit, chops.into_iter()), whole, "chops of up to {scale} bytes");
    }
    whole
}

//! The decoder against two well-kept implementations on random and damaged streams: the same
//! messages, and the same answer to whether the stream is lawful.

mod support;

use std::{
    io::{self, Read, Write},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use support::{
    Event, decode_every_way,
    streams::{for_all, hostile},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use websocket::ProtocolError::{LongControl, OverlongLength};

/// In bytes, for single frames and whole messages alike.
const LIMIT: usize = 100_000;

/// What a reference made of a stream: its messages, and whether it refused what came next.
struct Verdict {
    events: Vec<Event>,
    refused: bool,
}

/// Compares with what a reference said. We may refuse what it still waits to see more of, since
/// it judges whole headers or whole frames and we judge every byte.
fn compare(stream: &[u8], reference: Verdict) {
    let mut ours = decode_every_way(LIMIT, stream);
    let refused = ours.pop_if(|event| matches!(event, Event::Refused(_)));
    assert_eq!(ours, reference.events, "messages (ours left, then {refused:?})");
    if reference.refused {
        assert!(refused.is_some(), "only the reference refuses the stream");
    } else if let Some(refused) = refused {
        assert!(stream_ends_early(stream), "only we refuse the stream: {refused:?}");
    }
}

/// Whether adding bytes to the stream would have let a reference come to a verdict. True when the
/// last frame of the stream is incomplete.
fn stream_ends_early(mut stream: &[u8]) -> bool {
    loop {
        let &[_, second, ref rest @ ..] = stream else { return !stream.is_empty() };
        let (extended, length) = match second & 0x7f {
            126 => match rest.first_chunk() {
                Some(bytes) => (2, u16::from_be_bytes(*bytes).into()),
                None => return true,
            },
            127 => match rest.first_chunk() {
                Some(bytes) => (8, u64::from_be_bytes(*bytes)),
                None => return true,
            },
            short => (0, u64::from(short)),
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let size = length.saturating_add(extended + mask);
        if size > rest.len() as u64 {
            return true;
        }
        stream = &rest[size as usize..];
    }
}

/// A peer that has sent `0` and then nothing more, and reads everything.
struct Peer<'a>(&'a [u8]);

impl Read for Peer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Peer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Peer<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.0.split_at(self.0.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.0 = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn tungstenite(stream: &[u8]) -> Verdict {
    use tungstenite::{
        Error, Message, WebSocket,
        error::ProtocolError,
        protocol::{Role, WebSocketConfig},
    };
    let config =
        WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let mut socket = WebSocket::from_raw_socket(Peer(stream), Role::Server, Some(config));
    let mut events = Vec::new();
    let refused = loop {
        events.push(match socket.read() {
            Ok(Message::Text(text)) => support::text(&text),
            Ok(Message::Binary(bytes)) => support::binary(&bytes),
            Ok(Message::Ping(bytes)) => support::ping(&bytes),
            Ok(Message::Pong(bytes)) => support::pong(&bytes),
            // It reports a bad close code as a close of its own making.
            Ok(Message::Close(Some(frame))) if frame.reason == "Protocol violation" => break true,
            Ok(Message::Close(frame)) => {
                let (code, reason) =
                    frame.map_or((None, "".into()), |f| (Some(f.code.into()), f.reason));
                events.push(support::close(code, &reason));
                break false;
            }
            Ok(Message::Frame(frame)) => panic!("raw frame from read: {frame}"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => break false,
            Err(Error::Protocol(_) | Error::Utf8(_) | Error::Capacity(_)) => break true,
            Err(error) => panic!("{error}"),
        });
    };
    Verdict { events, refused }
}

fn tokio_websockets(stream: &[u8]) -> Verdict {
    use tokio_websockets::{Error, Limits, ServerBuilder};
    let limits = Limits::default().max_payload_len(Some(LIMIT));
    let mut socket = pin!(ServerBuilder::new().limits(limits).serve(Peer(stream)));
    let mut context = Context::from_waker(Waker::noop());
    let mut events = Vec::new();
    let refused = loop {
        let message = match futures_core::Stream::poll_next(socket.as_mut(), &mut context) {
            Poll::Ready(Some(Ok(message))) => message,
            Poll::Ready(None | Some(Err(Error::Io(_)))) => break false,
            Poll::Ready(Some(Err(_))) => break true,
            Poll::Pending => panic!("a peer that is always ready made it wait"),
        };
        let payload = message.as_payload();
        events.push(if message.is_text() {
            // It checks no fragment without payload, so text that ends inside a character gets
            // through when the last fragment is empty. Only a check of our own makes it safe.
            match str::from_utf8(payload) {
                Ok(text) => support::text(text),
                Err(_) => break true,
            }
        } else if message.is_binary() {
            support::binary(payload)
        } else if message.is_ping() {
            support::ping(payload)
        } else if message.is_pong() {
            support::pong(payload)
        } else if let Some((code, reason)) = message.as_close() {
            events.push(support::close(
                if payload.is_empty() { None } else { Some(code.into()) },
                reason,
            ));
            break false;
        } else {
            panic!("a message without a type");
        });
    };
    Verdict { events, refused }
}

#[test]
fn the_same_as_tungstenite() {
    // It takes lengths that are not in their shortest form, control frames' among them. The streams
    // are made without, but damage makes some: up to there it has to agree.
    for_all(1500, hostile(false), |stream| {
        let (ours, reference) = (decode_every_way(LIMIT, &stream), tungstenite(&stream));
        match ours.split_last() {
            Some((Event::Refused(OverlongLength(_) | LongControl(_)), messages)) => {
                assert!(reference.events.starts_with(messages), "messages before the bad length");
            }
            _ => compare(&stream, reference),
        }
    });
}

#[test]
fn the_same_as_tokio_websockets() {
    for_all(1500, hostile(true), |stream| compare(&stream, tokio_websockets(&stream)));
}

/// Found by the test above: the header alone shows that its body is wrong.
#[test]
fn a_close_frame_of_one_byte_is_refused_before_its_body_comes() {
    let stream = [136, 129, 0, 0, 0, 165];
    compare(&stream, tokio_websockets(&stream));
}

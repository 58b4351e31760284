//! One WebSocket client connection: connects, upgrades, answers pings, and hands whole text
//! frames to its owner. It must not know what the frames say.

use crate::net::frames::{self, Frames};
use crate::net::http;
use crate::net::stream::{connect, read_all, write_some};
use crate::server::target::TargetNode;
use anyhow::{Context, Result, bail};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io;

/// The key of RFC 6455 1.3; one key for all connections, so a reference server may answer with
/// prebuilt bytes.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The `Sec-WebSocket-Accept` that belongs to [`KEY`].
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A connection and what is not yet read or written whole.
pub(crate) struct WebSocket {
    stream: TcpStream,
    upgraded: bool,
    closing: bool,
    partial: Vec<u8>,
    unsent: Vec<u8>,
    /// Control pings of the server that were answered.
    pub(crate) pings: usize,
    /// Why the server closed: code and reason of its close frame.
    pub(crate) close: Option<String>,
}

impl WebSocket {
    /// Begins to connect, the upgrade request already waiting to be sent.
    pub(crate) fn connect(node: &TargetNode, index: usize) -> Result<Self> {
        let upgrade = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
            node.upgrade_path, node.host
        );
        Ok(Self {
            stream: connect(node.address, node.source(index))?,
            upgraded: false,
            closing: false,
            partial: Vec::new(),
            unsent: upgrade.into_bytes(),
            pings: 0,
            close: None,
        })
    }

    /// Registers for reading and writing, edge-triggered.
    pub(crate) fn register(&mut self, registry: &Registry, token: usize) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut self.stream, Token(token), both)
    }

    /// Appends a text frame; [`WebSocket::flush`] sends it.
    pub(crate) fn queue_text(&mut self, text: &str) {
        frames::push_client(&mut self.unsent, frames::TEXT, text.as_bytes());
    }

    /// Appends a subscription; `auth` is empty for a public channel.
    pub(crate) fn queue_subscribe(&mut self, channel: &str, auth: &str) {
        self.queue_text(&format!(
            r#"{{"event":"pusher:subscribe","data":{{"auth":"{auth}","channel":"{channel}"}}}}"#
        ));
    }

    /// Appends a close frame with code 1000; the server answers it and closes (RFC 6455 7.1.1).
    pub(crate) fn queue_close(&mut self) {
        self.closing = true;
        frames::push_client(&mut self.unsent, frames::CLOSE, &1000_u16.to_be_bytes());
    }

    /// Sends what was queued, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        write_some(&mut self.stream, &mut self.unsent).context("cannot send to the server")
    }

    /// Does what `event` allows and hands every text frame's payload to `on_text`. Returns
    /// false once the server has closed the connection.
    pub(crate) fn ready(
        &mut self,
        event: &Event,
        buffer: &mut [u8],
        mut on_text: impl FnMut(&[u8]),
    ) -> Result<bool> {
        self.flush()?;
        if !event.is_readable() && !event.is_read_closed() {
            return Ok(true);
        }
        let Self { stream, upgraded, partial, unsent, pings, close, closing } = self;
        let open = read_all(stream, partial, buffer, event.is_read_closed(), |bytes| {
            let mut start = 0;
            if !*upgraded {
                let Some(end) = http::head_end(bytes) else { return Ok(0) };
                if !bytes.starts_with(b"HTTP/1.1 101") {
                    bail!("the upgrade was refused: {}", bytes[..end].escape_ascii());
                }
                *upgraded = true;
                start = end;
            }
            let mut frames = Frames { rest: &bytes[start..] };
            for frame in frames.by_ref() {
                match frame.opcode {
                    frames::TEXT => on_text(frame.payload),
                    frames::PING => {
                        frames::push_client(unsent, frames::PONG, frame.payload);
                        *pings += 1;
                    }
                    frames::CLOSE => {
                        *close = Some(reason(frame.payload));
                        if !std::mem::replace(closing, true) {
                            frames::push_client(unsent, frames::CLOSE, frame.payload);
                        }
                    }
                    _ => {}
                }
            }
            Ok(bytes.len() - frames.rest.len())
        })?;
        if open {
            self.flush()?;
        }
        Ok(open)
    }
}

/// RFC 6455 5.5.1: two bytes of code, then text.
fn reason(payload: &[u8]) -> String {
    match payload.split_first_chunk::<2>() {
        Some((code, text)) => {
            format!("{} {}", u16::from_be_bytes(*code), text.escape_ascii()).trim_end().to_owned()
        }
        None => "no code".to_owned(),
    }
}

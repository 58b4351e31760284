//! One accepted socket with what is not yet read or written whole. It must not know what is said
//! over it.

use crate::net::stream::write_some;
use anyhow::Result;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{ErrorKind, Read, Write};

/// A peer that leaves this many bytes unread is dropped.
const MAX_UNSENT: usize = 4 * 1024 * 1024;

/// An HTTP connection that may become a WebSocket.
pub(super) struct FloorConnection {
    stream: TcpStream,
    partial: Vec<u8>,
    unsent: Vec<u8>,
    /// Speaks WebSocket frames from now on.
    pub(super) upgraded: bool,
    /// The channels it is subscribed to.
    pub(super) channels: Vec<usize>,
}

/// What a read brought.
pub(super) enum Filled {
    /// So many bytes, those left over from before included.
    Bytes(usize),
    /// There is nothing to read.
    Nothing,
    /// The peer has closed, or is gone.
    Closed,
}

impl FloorConnection {
    /// Takes over an accepted socket.
    pub(super) fn accept(mut stream: TcpStream, registry: &Registry, token: Token) -> Result<Self> {
        // Without Nagle's algorithm, as any server for small messages has it.
        let _ = stream.set_nodelay(true);
        // Edge-triggered, so an interest in writing that is seldom needed costs one wake-up.
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let (partial, unsent, channels) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { stream, partial, unsent, upgraded: false, channels })
    }

    /// What was left over and one read, at the front of `buffer`.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Filled {
        let kept = self.partial.len();
        match self.stream.read(&mut buffer[kept..]) {
            Ok(0) => Filled::Closed,
            Ok(read) => {
                buffer[..kept].copy_from_slice(&self.partial);
                self.partial.clear();
                Filled::Bytes(kept + read)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Filled::Nothing,
            Err(_) => Filled::Closed,
        }
    }

    /// Keeps an incomplete message for the next read; false if it fills the whole buffer of
    /// `limit` bytes and can never be completed.
    pub(super) fn keep(&mut self, rest: &[u8], limit: usize) -> bool {
        self.partial.extend_from_slice(rest);
        rest.len() < limit
    }

    /// Where to append what [`FloorConnection::flush`] sends.
    pub(super) fn unsent(&mut self) -> &mut Vec<u8> {
        &mut self.unsent
    }

    /// Appends to what [`FloorConnection::flush`] sends.
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Sends what was queued, as far as the socket takes it; false if the connection is lost.
    pub(super) fn flush(&mut self) -> bool {
        self.unsent.is_empty() || write_some(&mut self.stream, &mut self.unsent).is_ok()
    }

    /// Sends at once, past the queue if it is empty; false if the connection is lost or hopeless.
    pub(super) fn send(&mut self, bytes: &[u8]) -> bool {
        let written = if self.unsent.is_empty() {
            match self.stream.write(bytes) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => return false,
            }
        } else {
            0
        };
        self.unsent.extend_from_slice(&bytes[written..]);
        self.unsent.len() <= MAX_UNSENT
    }
}

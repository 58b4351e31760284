//! One keep-alive HTTP connection that publishes, pipelining if its owner queues more than one
//! request. It must not know what it publishes.

use crate::http;
use crate::socket::{connect, drain, read_all};
use crate::target::Node;
use anyhow::{Context, Result, bail};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io;

/// The connection and what is not yet read or written whole.
pub(crate) struct Lane {
    stream: TcpStream,
    partial: Vec<u8>,
    unsent: Vec<u8>,
}

impl Lane {
    /// Begins to connect.
    pub(crate) fn connect(node: &Node, registry: &Registry, token: usize) -> Result<Self> {
        let mut stream = connect(node.address, None)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, Token(token), both)?;
        Ok(Self { stream, partial: Vec::new(), unsent: Vec::new() })
    }

    /// Appends a request; [`Lane::flush`] sends it.
    pub(crate) fn queue(&mut self, request: &[u8]) {
        self.unsent.extend_from_slice(request);
    }

    /// Sends what was queued, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.unsent.is_empty() { Ok(()) } else { drain(&mut self.stream, &mut self.unsent) }
    }

    /// Does what `event` allows; returns how many requests were answered with 200. Any other
    /// answer is an error, and so is the end of the connection.
    pub(crate) fn ready(&mut self, event: &Event, buffer: &mut [u8]) -> Result<usize> {
        self.flush().context("cannot publish")?;
        if !event.is_readable() && !event.is_read_closed() {
            return Ok(0);
        }
        let mut answered = 0;
        let ended = event.is_read_closed();
        let open = read_all(&mut self.stream, &mut self.partial, buffer, ended, |bytes| {
            let mut taken = 0;
            while let Some(response) = http::response(&bytes[taken..]) {
                if response.status != 200 {
                    let body = response.body.escape_ascii();
                    bail!("a publish was answered with {}: {body}", response.status);
                }
                answered += 1;
                taken += response.length;
            }
            Ok(taken)
        })?;
        if !open {
            bail!("the server closed a publisher's keep-alive connection");
        }
        Ok(answered)
    }
}

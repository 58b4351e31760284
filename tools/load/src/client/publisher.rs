//! One keep-alive HTTP connection that publishes, pipelining if its owner queues more than one
//! request. It must not know what it publishes.

use crate::net::http;
use crate::net::reactor::Reactor;
use crate::net::stream::{connect, read_all, write_some};
use crate::server::target::{LoadTarget, TargetNode};
use anyhow::{Context, Result, bail};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::collections::VecDeque;
use std::io;
use std::time::Instant;

/// The connection and what is not yet read or written whole.
pub(crate) struct Publisher {
    stream: TcpStream,
    partial: Vec<u8>,
    unsent: Vec<u8>,
    /// When each request that is not answered yet was sent, or should have been.
    outstanding: VecDeque<Instant>,
}

impl Publisher {
    fn connect(node: &TargetNode, registry: &Registry, token: usize) -> Result<Self> {
        let mut stream = connect(node.address, None)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, Token(token), both)?;
        Ok(Self { stream, partial: Vec::new(), unsent: Vec::new(), outstanding: VecDeque::new() })
    }

    /// Begins to connect `count` of them, whose tokens begin with `first`.
    pub(crate) fn connect_all(
        target: &LoadTarget,
        reactor: &Reactor,
        first: usize,
        count: usize,
    ) -> Result<Vec<Self>> {
        let registry = reactor.poll.registry();
        let connect = |at| Self::connect(target.publishing(at), registry, first + at);
        (0..count).map(connect).collect()
    }

    /// Appends a request, whose time counts from `sent`; [`Publisher::flush`] sends it.
    pub(crate) fn queue(&mut self, request: &[u8], sent: Instant) {
        self.unsent.extend_from_slice(request);
        self.outstanding.push_back(sent);
    }

    /// How many requests are not answered yet.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Sends what was queued, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.unsent.is_empty() { Ok(()) } else { write_some(&mut self.stream, &mut self.unsent) }
    }

    /// Does what `event` allows; `on_answer` gets the time of each request that was answered with
    /// 200. Any other answer is an error, and so is the end of the connection.
    pub(crate) fn ready(
        &mut self,
        event: &Event,
        buffer: &mut [u8],
        mut on_answer: impl FnMut(Instant),
    ) -> Result<()> {
        self.flush().context("cannot publish")?;
        if !event.is_readable() && !event.is_read_closed() {
            return Ok(());
        }
        let ended = event.is_read_closed();
        let Self { stream, partial, outstanding, .. } = self;
        let open = read_all(stream, partial, buffer, ended, |bytes| {
            let mut taken = 0;
            while let Some(response) = http::response(&bytes[taken..]) {
                if response.status != 200 {
                    let body = response.body.escape_ascii();
                    bail!("a publish was answered with {}: {body}", response.status);
                }
                let sent = outstanding.pop_front();
                on_answer(sent.context("a publisher was answered without having asked")?);
                taken += response.length;
            }
            Ok(taken)
        })?;
        if !open {
            bail!("the server closed a publisher's keep-alive connection");
        }
        Ok(())
    }
}

//! `load floor`: the reference that servers are measured against. One thread, one epoll loop,
//! prebuilt frames, no checks: it does what no server for these clients can leave out, and
//! nothing else. Not a server to expose: it believes whatever it is told.

mod channels;
mod connection;
mod wire;

use crate::net::frames::{self, Frames};
use crate::net::http;
use crate::net::open_files::raise_limit;
use crate::net::reactor::Reactor;
use anyhow::{Context, Result};
use channels::FloorChannels;
use connection::{Filled, FloorConnection};
use mio::event::Event;
use mio::net::TcpListener;
use mio::{Interest, Registry, Token};
use slab::Slab;
use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

const LISTENER: Token = Token(usize::MAX - 1);

/// Options of `load floor`.
#[derive(clap::Args, Clone)]
pub(crate) struct FloorOptions {
    /// Port on 127.0.0.1; 0 takes a free one, which is printed
    #[arg(long, default_value_t = 6001)]
    pub(crate) port: u16,
    /// Collect the events of all requests that are ready and send them with one send per
    /// subscriber, instead of each event by itself
    #[arg(long)]
    pub(crate) coalesce: bool,
}

struct Floor {
    coalesce: bool,
    registry: Registry,
    connections: Slab<FloorConnection>,
    channels: FloorChannels,
    /// The frame being built, or the client's frame being unmasked.
    scratch: Vec<u8>,
    /// Connections that failed while they were being sent to.
    broken: Vec<usize>,
}

/// Serves until the process is ended.
pub(crate) fn run(options: &FloorOptions) -> Result<()> {
    // If so many are not allowed, the limit stays what it was.
    let _ = raise_limit(19_900);
    let mut reactor = Reactor::new()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let mut listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    reactor.poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening on http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;

    let mut floor = Floor {
        coalesce: options.coalesce,
        registry: reactor.poll.registry().try_clone()?,
        connections: Slab::new(),
        channels: FloorChannels::default(),
        scratch: Vec::new(),
        broken: Vec::new(),
    };
    loop {
        reactor.wait(Instant::now() + Duration::from_secs(3600))?;
        for event in &reactor.events {
            if event.token() == LISTENER {
                floor.accept(&listener)?;
            } else {
                floor.ready(event, &mut reactor.buffer);
            }
        }
        floor.end_iteration();
    }
}

impl Floor {
    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    let slot = self.connections.vacant_entry();
                    let token = Token(slot.key());
                    slot.insert(FloorConnection::accept(stream, &self.registry, token)?);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error).context("cannot accept"),
            }
        }
    }

    fn ready(&mut self, event: &Event, buffer: &mut [u8]) {
        let index = event.token().0;
        let Some(connection) = self.connections.get_mut(index) else { return };
        let mut open = connection.flush();
        if open && (event.is_readable() || event.is_read_closed()) {
            open = self.read(index, buffer, event.is_read_closed());
        }
        if !open {
            self.close(index);
        }
    }

    /// Reads and handles what has come; false if the connection is to be closed.
    fn read(&mut self, index: usize, buffer: &mut [u8], ended: bool) -> bool {
        loop {
            let connection = &mut self.connections[index];
            let filled = match connection.fill(buffer) {
                Filled::Bytes(filled) => filled,
                Filled::Nothing => return true,
                Filled::Closed => return false,
            };
            let bytes = &buffer[..filled];
            let taken = if connection.upgraded {
                self.frames(index, bytes)
            } else {
                self.requests(index, bytes)
            };
            let connection = &mut self.connections[index];
            let Some(taken) = taken else {
                // What answers the client's close frame goes out before the socket closes.
                connection.flush();
                return false;
            };
            if !connection.keep(&bytes[taken..], buffer.len()) || !connection.flush() {
                return false;
            }
            // A read that does not fill the buffer has emptied the socket (see `read_all`).
            if filled < buffer.len() && !ended {
                return true;
            }
        }
    }

    /// Handles the HTTP requests at the front of `bytes`; returns how many bytes they are.
    fn requests(&mut self, index: usize, bytes: &[u8]) -> Option<usize> {
        let mut taken = 0;
        while let Some(head) = http::head_end(&bytes[taken..]) {
            let request = &bytes[taken..];
            if !request.starts_with(b"POST ") {
                taken += head;
                let connection = &mut self.connections[index];
                if !request.starts_with(b"GET /app/") {
                    connection.queue(wire::NOT_FOUND);
                    continue;
                }
                connection.upgraded = true;
                wire::push_welcome(connection.unsent(), index);
                return Some(taken + self.frames(index, &bytes[taken..])?);
            }
            let end = head.checked_add(http::content_length(&request[..head]))?;
            let Some(body) = request.get(head..end) else { break };
            taken += end;
            let known = self.publish(body);
            let connection = &mut self.connections[index];
            connection.queue(if known { wire::OK } else { wire::BAD_REQUEST });
            if !self.coalesce && !connection.flush() {
                return None;
            }
        }
        Some(taken)
    }

    /// Sends or collects an event; false if `body` is not as this load generator writes it.
    fn publish(&mut self, body: &[u8]) -> bool {
        let Some(name) = wire::channel(body) else { return false };
        let Some(channel) = self.channels.get(name) else { return true };
        if self.coalesce {
            return self.channels.collect(channel, |pending| wire::push_event(pending, body));
        }
        self.scratch.clear();
        if !wire::push_event(&mut self.scratch, body) {
            return false;
        }
        for &subscriber in self.channels.subscribers(channel) {
            if !self.connections[subscriber].send(&self.scratch) {
                self.broken.push(subscriber);
            }
        }
        true
    }

    /// Handles the WebSocket frames at the front of `bytes`; `None` after a close frame.
    fn frames(&mut self, index: usize, bytes: &[u8]) -> Option<usize> {
        let mut frames = Frames { rest: bytes };
        for frame in frames.by_ref() {
            frame.unmask_into(&mut self.scratch);
            let connection = &mut self.connections[index];
            match frame.opcode {
                frames::TEXT => match wire::subscription(&self.scratch) {
                    Some(name) => {
                        wire::push_succeeded(connection.unsent(), name);
                        connection.channels.push(self.channels.join(name, index));
                    }
                    None if wire::is_ping(&self.scratch) => connection.queue(wire::PONG),
                    None => {}
                },
                frames::PING => {
                    frames::push_server(connection.unsent(), frames::PONG, &self.scratch);
                }
                frames::CLOSE => {
                    frames::push_server(connection.unsent(), frames::CLOSE, &self.scratch);
                    return None;
                }
                _ => {}
            }
        }
        Some(bytes.len() - frames.rest.len())
    }

    /// Sends what was collected, one send per subscriber, and forgets broken connections.
    fn end_iteration(&mut self) {
        for channel in self.channels.take_dirty() {
            let (pending, subscribers) = self.channels.pending(channel);
            for &subscriber in subscribers {
                if !self.connections[subscriber].send(pending) {
                    self.broken.push(subscriber);
                }
            }
            self.channels.sent(channel);
        }
        for index in std::mem::take(&mut self.broken) {
            self.close(index);
        }
    }

    fn close(&mut self, index: usize) {
        let Some(connection) = self.connections.try_remove(index) else { return };
        for channel in connection.channels {
            self.channels.leave(channel, index);
        }
    }
}

//! One WebSocket client connection: connects, upgrades, answers pings, and hands whole text
//! frames to its owner. It must not know what the frames say.

use crate::frames::{self, Frames};
use crate::http;
use crate::target::Node;
use anyhow::{Context, Result, bail};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockAddr, Socket as RawSocket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};

/// The key of RFC 6455 1.3; one key for all connections, so a reference server may answer with
/// prebuilt bytes.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The `Sec-WebSocket-Accept` that belongs to [`KEY`].
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A connection and what is not yet read or written whole.
pub(crate) struct Socket {
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

/// A non-blocking connection attempt, from `source` if given.
pub(crate) fn connect(address: SocketAddr, source: Option<IpAddr>) -> Result<TcpStream> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .context("cannot open a socket: raise the limit of open files (ulimit -n)")?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        socket.bind(&SockAddr::from(SocketAddr::new(source, 0)))?;
    }
    // EINPROGRESS: the first writable event tells the outcome.
    match socket.connect(&SockAddr::from(address)) {
        Err(error)
            if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error())
                && error.kind() != ErrorKind::WouldBlock =>
        {
            Err(error).with_context(|| format!("cannot connect to {address}"))
        }
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

/// Writes as much of `unsent` as the socket takes; the rest stays.
pub(crate) fn drain(stream: &mut TcpStream, unsent: &mut Vec<u8>) -> io::Result<()> {
    let mut sent = 0;
    while sent < unsent.len() {
        match stream.write(&unsent[sent..]) {
            Ok(written) => sent += written,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) =>
            {
                break;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    unsent.drain(..sent);
    Ok(())
}

/// Reads what a readable socket has: `parse` is given all bytes not yet consumed and says how
/// many of them it took. `ended`: the event said that the peer is done writing, so read to the
/// end. Returns false at the end of the stream. Errors: a message larger than the buffer.
///
/// The sockets are edge-triggered: a read that does not fill its buffer has emptied the socket
/// (epoll(7), question 9), so no second read is spent on hearing `EAGAIN`.
pub(crate) fn read_all(
    stream: &mut impl Read,
    partial: &mut Vec<u8>,
    buffer: &mut [u8],
    ended: bool,
    mut parse: impl FnMut(&[u8]) -> Result<usize>,
) -> Result<bool> {
    let mut filled = partial.len();
    buffer[..filled].copy_from_slice(partial);
    partial.clear();
    let open = loop {
        let room = buffer.len() - filled;
        if room == 0 {
            bail!("a message is larger than {} bytes", buffer.len());
        }
        let read = match stream.read(&mut buffer[filled..]) {
            Ok(0) => break false,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break true,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // A peer that is gone is the end of the stream, however it went.
            Err(_) => break false,
        };
        filled += read;
        let taken = parse(&buffer[..filled])?;
        buffer.copy_within(taken..filled, 0);
        filled -= taken;
        if read < room && !ended {
            break true;
        }
    };
    partial.extend_from_slice(&buffer[..filled]);
    Ok(open)
}

impl Socket {
    /// Begins to connect, the upgrade request already waiting to be sent.
    pub(crate) fn connect(node: &Node, index: usize) -> Result<Self> {
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

    /// Appends a text frame; [`Socket::flush`] sends it.
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
        drain(&mut self.stream, &mut self.unsent).context("cannot send to the server")
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

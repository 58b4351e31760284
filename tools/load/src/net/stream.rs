//! A TCP stream that never blocks: begun, written to as far as it takes something, read until it is
//! empty. It must not know what is said over it.

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};

/// A non-blocking connection attempt, from `source` if given.
pub(crate) fn connect(address: SocketAddr, source: Option<IpAddr>) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .context("cannot open a socket: raise the limit of open files (ulimit -n)")?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        socket.bind(&SockAddr::from(SocketAddr::new(source, 0)))?;
    }
    // EINPROGRESS: the first writable event tells the outcome.
    match socket.connect(&SockAddr::from(address)) {
        Err(error)
            if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error())
                && error.kind() != ErrorKind::WouldBlock =>
        {
            Err(error).with_context(|| format!("cannot connect to {address}"))
        }
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

/// Writes as much of `unsent` as the socket takes; the rest stays.
pub(crate) fn write_some(stream: &mut TcpStream, unsent: &mut Vec<u8>) -> io::Result<()> {
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

//! The first bytes of a socket: what the client speaks, and who it is.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use config::Config;
use failures::LogThrottle;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::client_address::is_trusted;
use super::proxy_protocol::{self, Parsed};
use super::{Tls, Transport};

/// The first byte of TLS: a record of the handshake (RFC 8446 5.1).
const HANDSHAKE: u8 = 0x16;
/// A fatal alert: the version of the protocol (RFC 8446 6.2). Clients show it as "wrong version".
const WRONG_VERSION: &[u8] = &[0x15, 3, 1, 0, 2, 2, 70];
/// The answer to plain HTTP where TLS is spoken.
const SPEAKS_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: application/json\r\nContent-Length: 70\r\nConnection: close\r\n\r\n\
    {\"error\":\"This port speaks TLS, connect with https or wss\",\"code\":400}";
/// How long a client that is turned away may take to read why.
const LAST_WORDS: Duration = Duration::from_secs(2);

static TLS_TO_PLAIN: LogThrottle = LogThrottle::new();
static PLAIN_TO_TLS: LogThrottle = LogThrottle::new();
static NO_HEADER: LogThrottle = LogThrottle::new();

/// A client's socket as HTTP reads and writes it.
#[derive(Debug)]
pub(crate) enum ClientStream {
    /// Until it has said something, it may turn out to speak TLS.
    Plain { socket: TcpStream, heard: bool },
    /// Its handshake is done.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Prepares an accepted socket, and says who is at its other end: whom a trusted proxy names with
/// the PROXY protocol, or the peer.
pub(crate) async fn open(
    config: &Config,
    tls: Option<&Tls>,
    mut socket: TcpStream,
    peer: IpAddr,
) -> io::Result<(ClientStream, IpAddr)> {
    let mut peer = peer.to_canonical();
    if config.proxy_protocol && is_trusted(peer, &config.trusted_proxies) {
        peer = proxied(&mut socket).await?.unwrap_or(peer);
    }
    let Some(tls) = tls else {
        return Ok((ClientStream::Plain { socket, heard: false }, peer));
    };
    // No method of HTTP starts with anything but a letter, and no record of TLS with one.
    let mut first = [0];
    if socket.peek(&mut first).await? > 0 && first[0].is_ascii_alphabetic() {
        return Err(turn_away(socket, peer).await);
    }
    let stream = Box::pin(tls.acceptor().accept(socket)).await?;
    Ok((ClientStream::Tls(Box::new(stream)), peer))
}

/// Takes the header of the PROXY protocol off the socket, and not a byte more.
async fn proxied(socket: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 256];
    loop {
        let there = socket.peek(&mut chunk).await?;
        if there == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let taken = bytes.len();
        bytes.extend_from_slice(&chunk[..there]);
        let parsed = proxy_protocol::parse(&bytes);
        // Where a header ends, it ends among the bytes that were looked at last.
        let end = match &parsed {
            Parsed::Header { length, .. } => *length,
            _ => bytes.len(),
        };
        socket.read_exact(&mut chunk[..end - taken]).await?;
        match parsed {
            Parsed::Incomplete => {}
            Parsed::Header { source, .. } => return Ok(source),
            Parsed::Invalid(reason) => {
                if NO_HEADER.may_log() {
                    tracing::warn!(reason, "a trusted proxy does not speak the PROXY protocol");
                }
                return Err(io::Error::new(ErrorKind::InvalidData, reason));
            }
        }
    }
}

/// Tells a client of plain HTTP that TLS is spoken here.
async fn turn_away(socket: TcpStream, peer: IpAddr) -> io::Error {
    let reason = "a client spoke plain HTTP to a TLS port";
    if PLAIN_TO_TLS.may_log() {
        tracing::info!(%peer, "{reason}; it has to use https or wss");
    }
    // What it does not take at once, it misses.
    let _ = socket.try_write(SPEAKS_TLS);
    let transport = Transport::Plain(socket);
    transport.finish();
    let _ = timeout(LAST_WORDS, transport.hang_up()).await;
    io::Error::new(ErrorKind::InvalidData, reason)
}

/// Refuses a client that speaks TLS to a plain port.
fn refuse_tls(socket: &TcpStream) -> io::Error {
    let reason = "a client spoke TLS to a plain port";
    if TLS_TO_PLAIN.may_log() {
        let peer = socket.peer_addr().ok();
        tracing::info!(?peer, "{reason}; set ssl.certPath, or use http or ws");
    }
    let _ = socket.try_write(WRONG_VERSION);
    io::Error::new(ErrorKind::InvalidData, reason)
}

impl ClientStream {
    /// The socket for its shard, without anything of HTTP left.
    pub(crate) fn into_transport(self) -> Transport {
        match self {
            ClientStream::Plain { socket, .. } => Transport::Plain(socket),
            ClientStream::Tls(stream) => {
                let (socket, session) = stream.into_inner();
                Transport::tls(socket, session)
            }
        }
    }

    /// Ends the stream after the last answer. With TLS that has to be said (RFC 8446 6.1).
    pub(crate) fn close(self) {
        if let ClientStream::Tls(_) = self {
            self.into_transport().finish();
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (socket, heard) = match &mut *self {
            ClientStream::Plain { socket, heard } => (socket, heard),
            ClientStream::Tls(stream) => return Pin::new(stream.as_mut()).poll_read(context, into),
        };
        let before = into.filled().len();
        ready!(Pin::new(&mut *socket).poll_read(context, into))?;
        if !*heard && let Some(first) = into.filled().get(before) {
            *heard = true;
            if *first == HANDSHAKE {
                return Poll::Ready(Err(refuse_tls(socket)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            ClientStream::Plain { socket, .. } => Pin::new(socket).poll_write(context, bytes),
            ClientStream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            ClientStream::Plain { socket, .. } => {
                Pin::new(socket).poll_write_vectored(context, slices)
            }
            ClientStream::Tls(stream) => {
                Pin::new(stream.as_mut()).poll_write_vectored(context, slices)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            ClientStream::Plain { socket, .. } => Pin::new(socket).poll_flush(context),
            ClientStream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            ClientStream::Plain { socket, .. } => Pin::new(socket).poll_shutdown(context),
            ClientStream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}

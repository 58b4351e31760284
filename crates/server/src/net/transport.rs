//! One socket of a client, plain or TLS, written to by its shard and read by its reader.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice, Read, Write};

use rustls::ServerConnection;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// A socket that never blocks and holds no buffer of its own while it is idle.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Bytes go out as they are.
    Plain(TcpStream),
    /// Bytes are encrypted per connection, so nothing can be shared.
    Tls(Box<TlsTransport>),
}

/// A TLS session over its socket.
#[derive(Debug)]
pub(crate) struct TlsTransport {
    socket: TcpStream,
    session: RefCell<ServerConnection>,
}

impl Transport {
    /// A session whose handshake is done.
    pub(crate) fn tls(socket: TcpStream, session: ServerConnection) -> Self {
        Transport::Tls(Box::new(TlsTransport { socket, session: RefCell::new(session) }))
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Transport::Plain(socket) => socket,
            Transport::Tls(tls) => &tls.socket,
        }
    }

    /// Waits until there is something to read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket().readable().await
    }

    /// Waits until the socket takes more.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.socket().writable().await
    }

    /// Reads what is there. `None` if nothing is, `Some(0)` at the end of the stream.
    pub(crate) fn try_read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        let read = match self {
            Transport::Plain(socket) => socket.try_read(into),
            Transport::Tls(tls) => tls.try_read(into),
        };
        match read {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes what the socket takes; 0 if it takes nothing now.
    pub(crate) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = match (self, slices) {
            (Transport::Plain(socket), [one]) => socket.try_write(one),
            (Transport::Plain(socket), many) => socket.try_write_vectored(many),
            (Transport::Tls(tls), many) => tls.try_write(many),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }

    /// Whether bytes that were taken wait inside, encrypted but not sent.
    pub(crate) fn has_unsent(&self) -> bool {
        matches!(self, Transport::Tls(tls) if tls.session.borrow().wants_write())
    }

    /// Sends what waits inside, as far as the socket takes it.
    pub(crate) fn push_unsent(&self) -> io::Result<()> {
        match self {
            Transport::Plain(_) => Ok(()),
            Transport::Tls(tls) => tls.drain().map(drop),
        }
    }

    /// As [`shut_down`](Self::shut_down), and what the kernel still holds is thrown away.
    pub(crate) fn abort(&self) {
        let _ = SockRef::from(self.socket()).set_linger(Some(std::time::Duration::ZERO));
        self.shut_down();
    }

    /// Ends both directions; the reader sees the end of the stream and cleans up.
    pub(crate) fn shut_down(&self) {
        // An error means that the socket is gone already.
        let _ = SockRef::from(self.socket()).shutdown(std::net::Shutdown::Both);
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&self) {
        if let Transport::Tls(tls) = self {
            tls.session.borrow_mut().send_close_notify();
            let _ = tls.drain();
        }
        let _ = SockRef::from(self.socket()).shutdown(std::net::Shutdown::Write);
    }
}

impl TlsTransport {
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.borrow_mut().reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A peer that drops TCP without close_notify has ended the stream all the same.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            let mut session = self.session.borrow_mut();
            let read = self
                .socket
                .try_io(Interest::READABLE, || session.read_tls(&mut RawSocket(&self.socket)))?;
            session
                .process_new_packets()
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            drop(session);
            self.drain()?;
            if read == 0 {
                return Ok(0);
            }
        }
    }

    /// Plain bytes are taken only while no encrypted ones wait, so that what waits for a slow
    /// reader waits, and is counted, in the connection's backlog.
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut written = 0;
        for slice in slices {
            for part in slice.chunks(16 * 1024) {
                if !self.drain()? {
                    return Ok(written);
                }
                let taken = self.session.borrow_mut().writer().write(part)?;
                written += taken;
                if taken < part.len() {
                    return Ok(written);
                }
            }
        }
        self.drain()?;
        Ok(written)
    }

    /// Sends encrypted bytes that wait; true if none are left.
    fn drain(&self) -> io::Result<bool> {
        let mut session = self.session.borrow_mut();
        while session.wants_write() {
            let sent = self
                .socket
                .try_io(Interest::WRITABLE, || session.write_tls(&mut RawSocket(&self.socket)));
            match sent {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// The socket without the runtime's readiness, for use inside `try_io`.
struct RawSocket<'a>(&'a TcpStream);

impl Read for RawSocket<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (&*SockRef::from(self.0)).read(into)
    }
}

impl Write for RawSocket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*SockRef::from(self.0)).write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*SockRef::from(self.0)).write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

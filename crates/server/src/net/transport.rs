//! One socket of a client, plain or TLS, written to by its shard and read by its reader.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::pin::pin;

use rustls::ServerConnection;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::yield_now;

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

    /// Waits until there is something to read. It always gives way to the other tasks: a client
    /// that never stops sending would otherwise keep the shard to itself.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        if let Transport::Tls(tls) = self
            && tls.holds_input()
        {
            yield_now().await;
            return Ok(());
        }
        let mut readable = pin!(self.socket().readable());
        let mut waited = false;
        let ready = poll_fn(|context| {
            let ready = readable.as_mut().poll(context);
            waited |= ready.is_pending();
            ready
        });
        ready.await?;
        if !waited {
            yield_now().await;
        }
        Ok(())
    }

    /// Waits until the socket takes more.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.socket().writable().await
    }

    /// Reads what is there. `None` if nothing is, `Some(0)` at the end of the stream.
    pub(crate) fn try_read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        let read = match self {
            Transport::Plain(socket) => read_plain(socket, into),
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

    /// Reads until the client has closed, too: closing before that takes back what it was told.
    pub(crate) async fn hang_up(&self) {
        let mut ignored = [0; 1024];
        while self.readable().await.is_ok() {
            if matches!(self.try_read(&mut ignored), Ok(Some(0)) | Err(_)) {
                return;
            }
        }
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

/// Reads what a socket has. A buffer that was not filled has emptied it, so the runtime is told at
/// once that there is nothing more: that saves asking the kernel a second time.
fn read_plain(socket: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
    let mut taken = 0;
    let read = socket.try_io(Interest::READABLE, || {
        taken = (&*SockRef::from(socket)).read(into)?;
        if 0 < taken && taken < into.len() { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match read {
        Err(error) if taken == 0 => Err(error),
        _ => Ok(taken),
    }
}

impl TlsTransport {
    /// Whether the session holds what the client has sent: HTTP may have left some, and one read
    /// may not have taken all. The socket knows nothing of it.
    fn holds_input(&self) -> bool {
        // Without new packets this only tells how the session stands.
        let state = self.session.borrow_mut().process_new_packets();
        state.map_or(true, |state| state.plaintext_bytes_to_read() > 0 || state.peer_has_closed())
    }

    /// One read of the socket at most, so that a client that sends records without content gives
    /// way like any other.
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self.read_held(into) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read,
        }
        let read = {
            let mut session = self.session.borrow_mut();
            let read_tls = || session.read_tls(&mut RawSocket(&self.socket));
            self.socket.try_io(Interest::READABLE, read_tls)?
        };
        let processed = self.session.borrow_mut().process_new_packets();
        // Tickets and the like; or the alert that says what was wrong, if the socket takes it.
        let drained = self.drain();
        processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        drained?;
        match read {
            // Without close_notify before it, too: whoever drops TCP has ended the stream.
            0 => Ok(0),
            _ => self.read_held(into),
        }
    }

    /// What the session holds already.
    fn read_held(&self, into: &mut [u8]) -> io::Result<usize> {
        match self.session.borrow_mut().reader().read(into) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        }
    }

    /// Plain bytes are taken only while no encrypted ones wait, so that what waits for a slow
    /// reader waits, and is counted, in the connection's backlog; the session takes 64 KiB at once.
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if !self.drain()? {
            return Ok(0);
        }
        let taken = self.session.borrow_mut().writer().write_vectored(slices)?;
        self.drain()?;
        Ok(taken)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn waiting_for_what_is_there_gives_way() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let transport = Transport::Plain(listener.accept().await.unwrap().0);
        client.write_all(b"more than is read at once").await.unwrap();
        transport.readable().await.unwrap();
        for _ in 0..3 {
            let ran = Arc::new(AtomicBool::new(false));
            let other = ran.clone();
            tokio::spawn(async move { other.store(true, Relaxed) });
            assert_eq!(transport.try_read(&mut [0; 4]).unwrap(), Some(4));
            transport.readable().await.unwrap();
            assert!(ran.load(Relaxed), "the other task had its turn");
        }
    }
}

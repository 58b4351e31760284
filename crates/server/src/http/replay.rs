//! A client's socket as hyper reads and writes it: first what was read from it already, then the
//! socket itself.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;

use crate::net::ClientStream;

/// A socket, and what is to be read before it.
pub(super) struct Replay {
    first: Bytes,
    socket: TokioIo<ClientStream>,
}

impl Replay {
    pub(super) fn new(first: Bytes, socket: ClientStream) -> Self {
        Replay { first, socket: TokioIo::new(socket) }
    }

    /// The socket, after `first` has been read.
    pub(super) fn into_inner(self) -> ClientStream {
        self.socket.into_inner()
    }
}

impl Read for Replay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.socket).poll_read(context, into);
        }
        let count = self.first.len().min(into.remaining());
        into.put_slice(&self.first[..count]);
        self.first.advance(count);
        if self.first.is_empty() {
            // The memory goes at once: an idle keep-alive connection would hold it.
            self.first = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Replay {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

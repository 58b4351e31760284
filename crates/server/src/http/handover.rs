//! A client's socket as hyper reads and writes it, until it is handed over.
//!
//! The answer to a handshake is held back here: it leaves together with the first frame, which
//! saves every new connection a write, and its client a wake-up.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;

use crate::net::ClientStream;

/// What is held back; nothing is before [`hold`](Self::hold).
#[derive(Clone, Default)]
pub(super) struct Held(Rc<RefCell<Option<Vec<u8>>>>);

impl Held {
    /// From now on nothing is written.
    pub(super) fn hold(&self) {
        *self.0.borrow_mut() = Some(Vec::new());
    }

    /// What would have been written.
    pub(super) fn take(&self) -> Vec<u8> {
        self.0.take().unwrap_or_default()
    }
}

/// A socket with a place to hold its output back.
pub(super) struct Handover {
    socket: TokioIo<ClientStream>,
    held: Held,
}

impl Handover {
    pub(super) fn new(socket: ClientStream, held: Held) -> Self {
        Handover { socket: TokioIo::new(socket), held }
    }

    pub(super) fn into_inner(self) -> ClientStream {
        self.socket.into_inner()
    }

    /// Holds output back; none if it has to be written.
    fn keep(&self, slices: &[io::IoSlice<'_>]) -> Option<usize> {
        let mut held = self.held.0.borrow_mut();
        let held = held.as_mut()?;
        slices.iter().for_each(|slice| held.extend_from_slice(slice));
        Some(slices.iter().map(|slice| slice.len()).sum())
    }
}

impl Read for Handover {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, into)
    }
}

impl Write for Handover {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.keep(&[io::IoSlice::new(bytes)]) {
            Some(kept) => Poll::Ready(Ok(kept)),
            None => Pin::new(&mut self.socket).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.keep(slices) {
            Some(kept) => Poll::Ready(Ok(kept)),
            None => Pin::new(&mut self.socket).poll_write_vectored(context, slices),
        }
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

//! One thread's event loop: mio's poll, its events and the one big read buffer that all sockets
//! share. It must not know what is sent.

use mio::{Events, Poll};
use std::io;
use std::time::{Duration, Instant};

/// One read takes all that a socket has pending, almost always.
const BUFFER: usize = 256 * 1024;

/// How long nothing at all may happen before a run is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Poll, events and read buffer; the fields are apart so that a loop can borrow them apart.
pub(crate) struct Reactor {
    /// Where sockets are registered.
    pub(crate) poll: Poll,
    /// What the last wait reported.
    pub(crate) events: Events,
    /// Scratch space for reads.
    pub(crate) buffer: Vec<u8>,
}

impl Reactor {
    /// An empty loop.
    pub(crate) fn new() -> io::Result<Self> {
        let events = Events::with_capacity(2048);
        Ok(Self { poll: Poll::new()?, events, buffer: vec![0; BUFFER] })
    }

    /// Waits until something is ready or `until` has come. epoll counts in milliseconds, too
    /// coarse for a latency measurement, so the last one is spent polling.
    pub(crate) fn wait(&mut self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        let whole = Duration::from_millis(left.as_millis().saturating_sub(1) as u64);
        match self.poll.poll(&mut self.events, Some(whole)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }
}

//! One thread's event loop: mio's poll, its events and the one big read buffer that all sockets
//! share. It must not know what is sent.

use super::alarm::Alarm;
use mio::{Events, Poll};
use std::io;
use std::time::{Duration, Instant};

/// One read takes all that a socket has pending, almost always.
const BUFFER: usize = 256 * 1024;

/// The end of a wait is spent polling, for a timer may wake us so late.
const SPIN: Duration = Duration::from_micros(150);

/// How long nothing at all may happen before a run is given up.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Poll, events and read buffer; the fields are apart so that a loop can borrow them apart.
pub(crate) struct Reactor {
    /// Where sockets are registered.
    pub(crate) poll: Poll,
    /// What the last wait reported.
    pub(crate) events: Events,
    /// Scratch space for reads.
    pub(crate) buffer: Vec<u8>,
    alarm: Alarm,
}

impl Reactor {
    /// An empty loop.
    pub(crate) fn new() -> io::Result<Self> {
        let events = Events::with_capacity(2048);
        let poll = Poll::new()?;
        let alarm = Alarm::around(&poll)?;
        Ok(Self { poll, events, buffer: vec![0; BUFFER], alarm })
    }

    /// Waits until something is ready or `until` has come, or somewhat shorter.
    pub(crate) fn wait(&mut self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        let whole = Duration::from_millis(left.as_millis().saturating_sub(1) as u64);
        self.poll(whole)?;
        if whole.is_zero() && self.events.is_empty() && left > SPIN {
            self.alarm.wait(left.saturating_sub(SPIN))?;
            self.poll(Duration::ZERO)?;
        }
        Ok(())
    }

    fn poll(&mut self, time: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(time)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }
}

//! Waits for another poll to have something, or for a time that is exact to microseconds:
//! epoll_wait(2) counts in milliseconds, too coarse for a latency measurement, and to spend them
//! polling would take a whole core from the servers on this machine.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// A poll around another one.
pub(crate) struct Alarm {
    around: Poll,
    events: Events,
    timer: OwnedFd,
}

impl Alarm {
    /// Around `inner`, which outlives it.
    pub(crate) fn around(inner: &Poll) -> io::Result<Self> {
        let around = Poll::new()?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        for (token, fd) in [inner.as_raw_fd(), timer.as_raw_fd()].iter().enumerate() {
            around.registry().register(&mut SourceFd(fd), Token(token), Interest::READABLE)?;
        }
        Ok(Self { around, events: Events::with_capacity(2), timer })
    }

    /// Returns when the inner poll has something new, or after `time`, which is not zero.
    pub(crate) fn wait(&mut self, time: Duration) -> io::Result<()> {
        let it_value =
            Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        // Setting it also takes back what it has told of an earlier time.
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        match self.around.poll(&mut self.events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    #[test]
    fn the_time_or_something_new_ends_the_wait() {
        let mut inner = Poll::new().unwrap();
        let mut alarm = Alarm::around(&inner).unwrap();
        let began = Instant::now();
        for _ in 0..3 {
            alarm.wait(Duration::from_micros(300)).unwrap();
        }
        assert!(began.elapsed() >= Duration::from_micros(900));

        let (mut here, there) = UnixStream::pair().unwrap();
        let fd = there.as_raw_fd();
        inner.registry().register(&mut SourceFd(&fd), Token(7), Interest::READABLE).unwrap();
        here.write_all(b"x").unwrap();
        alarm.wait(Duration::from_secs(3600)).unwrap();
        let mut events = Events::with_capacity(2);
        inner.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.iter().next().map(|event| event.token()), Some(Token(7)));
    }
}

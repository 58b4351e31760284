//! Many WebSocket connections that connect, subscribe and then receive. It must not know what is
//! published to them or what is counted.

use crate::client::websocket::WebSocket;
use crate::net::reactor::{Reactor, STALL_TIMEOUT};
use crate::progress::Progress;
use crate::server::target::LoadTarget;
use anyhow::{Result, bail};
use memchr::memmem;
use mio::event::Event;
use std::time::{Duration, Instant};

/// Connections that are being opened at one time, fewer than any listen backlog.
const PARALLEL: usize = 100;

/// The connections; the index of each is its token.
pub(crate) struct Subscribers {
    sockets: Vec<WebSocket>,
    /// The socket id of each.
    ids: Vec<String>,
}

/// True if `frame` is or names `event`, found without parsing it: enough while connecting and
/// subscribing.
pub(crate) fn mentions(frame: &[u8], event: &str) -> bool {
    memmem::find(frame, event.as_bytes()).is_some()
}

/// A frame by which the server refuses (W13, W25), as text.
pub(crate) fn refusal(frame: &[u8]) -> Option<String> {
    let refused = mentions(frame, "pusher:error") || mentions(frame, "subscription_error");
    refused.then(|| String::from_utf8_lossy(frame).into_owned())
}

/// The number behind `socket_id` in a `connection_established`, empty if there is none.
fn socket_id(frame: &[u8]) -> String {
    let at = memmem::find(frame, b"socket_id").unwrap_or(frame.len());
    let behind = frame[at..].iter().map(|byte| char::from(*byte));
    let part = |letter: &char| letter.is_ascii_digit() || *letter == '.';
    behind.skip_while(|letter| !part(letter)).take_while(part).collect()
}

impl Subscribers {
    /// Opens `count` connections and waits until each has its `connection_established`.
    pub(crate) fn connect(
        reactor: &mut Reactor,
        target: &LoadTarget,
        count: usize,
    ) -> Result<Self> {
        let mut this = Self { sockets: Vec::with_capacity(count), ids: Vec::new() };
        let mut ids = vec![String::new(); count];
        let mut open = 0;
        let mut watchdog = Watchdog::new("connecting");
        while open < count {
            while this.sockets.len() < count.min(open + PARALLEL) {
                let index = this.sockets.len();
                let mut socket = WebSocket::connect(target.node(index), index)?;
                socket.register(reactor.poll.registry(), index)?;
                this.sockets.push(socket);
            }
            open +=
                this.await_event(reactor, "pusher:connection_established", |index, frame| {
                    ids[index] = socket_id(frame);
                })?;
            watchdog.check(open, "connections")?;
        }
        this.ids = ids;
        Ok(this)
    }

    /// Subscribes the `index`th connection to `channels(index)`, all of them at once, and waits
    /// for every `subscription_succeeded`.
    pub(crate) fn subscribe<C>(
        &mut self,
        reactor: &mut Reactor,
        target: &LoadTarget,
        channels: impl Fn(usize) -> C,
    ) -> Result<()>
    where
        C: Iterator<Item = String>,
    {
        let (mut asked, mut succeeded, mut begun) = (0, 0, 0);
        let mut watchdog = Watchdog::new("subscribing");
        while begun < self.sockets.len() || succeeded < asked {
            // A thousand answers may be pending, so that no server has to hold them for long.
            while begun < self.sockets.len() && asked - succeeded < 1000 {
                for channel in channels(begun) {
                    let signer = &target.node(begun).signer;
                    let auth = if channel.starts_with("private-") {
                        signer.subscription(&self.ids[begun], &channel)
                    } else {
                        String::new()
                    };
                    self.sockets[begun].queue_subscribe(&channel, &auth);
                    asked += 1;
                }
                self.sockets[begun].flush()?;
                begun += 1;
            }
            if succeeded < asked {
                succeeded += self.await_event(reactor, "subscription_succeeded", |_, _| {})?;
                watchdog.check(succeeded, "subscriptions")?;
            }
        }
        Ok(())
    }

    /// One turn of the loop; returns how many frames mention `name`, after `on` has seen them. A
    /// refusal is an error.
    fn await_event(
        &mut self,
        reactor: &mut Reactor,
        name: &str,
        mut on: impl FnMut(usize, &[u8]),
    ) -> Result<usize> {
        reactor.wait(Instant::now() + Duration::from_secs(1))?;
        let (mut seen, mut refused) = (0, None);
        for event in &reactor.events {
            self.ready(event, &mut reactor.buffer, |index, frame| {
                if mentions(frame, name) {
                    seen += 1;
                    on(index, frame);
                }
                refused = refused.take().or_else(|| refusal(frame));
            })?;
        }
        match refused {
            Some(frame) => bail!("the server refused: {frame}"),
            None => Ok(seen),
        }
    }

    /// Handles an event of one of these connections; `on_text` gets its index and the payload of
    /// each text frame. A connection that the server closes is an error: none should be.
    pub(crate) fn ready(
        &mut self,
        event: &Event,
        buffer: &mut [u8],
        mut on_text: impl FnMut(usize, &[u8]),
    ) -> Result<()> {
        let index = event.token().0;
        let Some(socket) = self.sockets.get_mut(index) else { return Ok(()) };
        if !socket.ready(event, buffer, |text| on_text(index, text))? {
            let why = socket.close.as_deref().unwrap_or("without a close frame");
            bail!("the server closed subscriber {index}: {why}");
        }
        Ok(())
    }

    /// Sends `pusher:ping` on the `index`th connection.
    pub(crate) fn ping(&mut self, index: usize) -> Result<()> {
        let socket = &mut self.sockets[index];
        socket.queue_text(r#"{"event":"pusher:ping","data":{}}"#);
        socket.flush()
    }

    /// Control pings answered so far.
    pub(crate) fn pings(&self) -> usize {
        self.sockets.iter().map(|socket| socket.pings).sum()
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.sockets.len()
    }
}

/// Gives up when nothing has moved for too long.
pub(crate) struct Watchdog {
    last: usize,
    since: Instant,
    progress: Progress,
}

impl Watchdog {
    /// Begins now.
    pub(crate) fn new(label: &'static str) -> Self {
        Self { last: 0, since: Instant::now(), progress: Progress::new(label) }
    }

    /// `done` so far, of `what`: shown once a second. Errors: it has not changed for long.
    pub(crate) fn check(&mut self, done: usize, what: &str) -> Result<()> {
        let now = Instant::now();
        if done != self.last {
            (self.last, self.since) = (done, now);
        } else if now.duration_since(self.since) > STALL_TIMEOUT {
            bail!("nothing has come for {STALL_TIMEOUT:?}: stuck at {done} {what}");
        }
        self.progress.show(now, done, what);
        Ok(())
    }
}

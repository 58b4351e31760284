//! File descriptors: the limit is raised at start, and a reserve is kept so that the HTTP API and
//! the metrics still answer when WebSockets have taken all they may.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Descriptors that the process needs besides its clients' sockets: logs, listeners, the
/// runtimes' own, files that are read again.
const OVERHEAD: usize = 48;

/// How many sockets may be open. Shared by the acceptor and all shards.
#[derive(Debug)]
pub(crate) struct Descriptors {
    limit: usize,
    reserve: usize,
    open: AtomicUsize,
    websockets: AtomicUsize,
}

/// A socket that is counted for as long as it exists.
#[derive(Debug)]
pub(crate) struct OpenSocket {
    descriptors: Arc<Descriptors>,
    websocket: bool,
}

impl Descriptors {
    /// Raises the soft limit to the hard one. `reserve` is how many descriptors WebSockets leave
    /// to HTTP; 0 = a sixteenth, at least 32.
    pub(crate) fn claim(reserve: usize) -> Self {
        let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        if limit.current != limit.maximum {
            limit.current = limit.maximum;
            // Where this is refused, the soft limit stands.
            let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
            limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        }
        let limit = limit.current.map_or(usize::MAX, |limit| limit as usize);
        Self::new(limit, reserve)
    }

    fn new(limit: usize, reserve: usize) -> Self {
        let reserve = if reserve == 0 { (limit / 16).clamp(32, 1024) } else { reserve };
        let (open, websockets) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Descriptors { limit, reserve, open, websockets }
    }

    /// The effective limit of the process.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many WebSockets there may be.
    pub(crate) fn websocket_limit(&self) -> usize {
        self.limit.saturating_sub(OVERHEAD + self.reserve)
    }

    /// Sockets of clients that are open, of either kind.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// Counts one more socket; none if there is no descriptor to spare.
    pub(crate) fn open_socket(self: &Arc<Self>) -> Option<OpenSocket> {
        let most = self.limit.saturating_sub(OVERHEAD);
        let one_more = |open: usize| (open < most).then_some(open + 1);
        self.open.fetch_update(Relaxed, Relaxed, one_more).ok()?;
        Some(OpenSocket { descriptors: self.clone(), websocket: false })
    }
}

impl OpenSocket {
    /// The socket becomes a WebSocket, if it has not already; false if there are too many.
    pub(crate) fn becomes_websocket(&mut self) -> bool {
        if self.websocket {
            return true;
        }
        let limit = self.descriptors.websocket_limit();
        let one_more = |open: usize| (open < limit).then_some(open + 1);
        self.websocket =
            self.descriptors.websockets.fetch_update(Relaxed, Relaxed, one_more).is_ok();
        self.websocket
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.descriptors.open.fetch_sub(1, Relaxed);
        if self.websocket {
            self.descriptors.websockets.fetch_sub(1, Relaxed);
        }
    }
}

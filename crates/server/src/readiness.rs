//! How far along its life the node is: joining, serving, leaving. It must not know what follows from
//! that.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::watch;

/// Owned by the node, shared by all its threads.
pub(crate) struct Readiness {
    listening: AtomicBool,
    /// The node knows all that the other nodes hold, and they know it.
    joined: AtomicBool,
    draining: watch::Sender<bool>,
}

impl Readiness {
    /// Of a node that does not listen yet. One on its own has nobody to join.
    pub(crate) fn new(has_joined: bool) -> Self {
        Readiness {
            listening: AtomicBool::new(false),
            joined: AtomicBool::new(has_joined),
            draining: watch::Sender::new(false),
        }
    }

    /// Whether new work should be sent here.
    pub(crate) fn is_ready(&self) -> bool {
        self.listening.load(Relaxed) && self.has_joined() && !self.is_draining()
    }

    /// Whether the node is part of its cluster, so that it may serve.
    pub(crate) fn has_joined(&self) -> bool {
        self.joined.load(Relaxed)
    }

    /// The node is part of its cluster.
    pub(crate) fn set_joined(&self) {
        self.joined.store(true, Relaxed);
    }

    /// The listeners are open.
    pub(crate) fn set_listening(&self) {
        self.listening.store(true, Relaxed);
    }

    /// Whether the node is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// From now on the node is on its way out.
    pub(crate) fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Resolves when the node is on its way out.
    pub(crate) fn drained(&self) -> impl Future<Output = ()> + use<> {
        let mut draining = self.draining.subscribe();
        async move {
            // The sender lives as long as the node.
            let _ = draining.wait_for(|draining| *draining).await;
        }
    }
}

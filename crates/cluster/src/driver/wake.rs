//! How other threads wake the driver.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes the driver of a cluster. Whoever appends to logs has a clone, on any thread, and calls
/// [`wake`](Self::wake) when [`Appended::wake`](crate::Appended::wake) says so.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// A bell that nobody listens to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The driver looks again what there is to send. Many calls before it does are one.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.0.notified().await;
    }
}

//! The tasks of a mesh.

use std::cell::RefCell;

use tokio::task::JoinSet;

/// Tasks of this thread that end together.
#[derive(Default)]
pub(super) struct Tasks(RefCell<JoinSet<()>>);

impl Tasks {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.0.borrow_mut();
        while tasks.try_join_next().is_some() {} // forget those that have ended
        tasks.spawn_local(task);
    }

    /// How many go on.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let mut tasks = self.0.borrow_mut();
        while tasks.try_join_next().is_some() {}
        tasks.len()
    }

    /// Ends all of them, soon.
    pub(super) fn abort(&self) {
        self.0.borrow_mut().abort_all();
    }

    /// Ends all of them, and waits until what they held is dropped.
    pub(super) async fn shutdown(&self) {
        let mut tasks = self.0.take();
        tasks.shutdown().await;
    }
}

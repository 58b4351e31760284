//! Threads whose tasks stay on them.

use std::io;
use std::sync::mpsc as std_mpsc;
use std::thread::{Builder as ThreadBuilder, JoinHandle};

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio::task::spawn_local;

/// Begins a task, on its thread.
type Begin = Box<dyn FnOnce() + Send>;

/// How many tasks may wait for their thread to begin them.
const WAITING: usize = 16;

/// A thread with a runtime of its own. What is spawned on it never leaves it, so it needs neither
/// locks nor `Send` among its own. It lives, and with it all its tasks, until this is dropped.
pub(crate) struct TaskThread {
    /// Taken only by the end.
    begin: Option<mpsc::Sender<Begin>>,
    thread: Option<JoinHandle<()>>,
}

impl TaskThread {
    /// Starts a thread, which has nothing to do yet.
    pub(crate) fn start(name: String) -> io::Result<Self> {
        let (begin, mut waiting) = mpsc::channel::<Begin>(WAITING);
        let (built, is_built) = std_mpsc::sync_channel(1);
        let thread = ThreadBuilder::new().name(name).spawn(move || {
            match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
                Ok(runtime) => {
                    // The starter waits for this answer, so it is there to take it.
                    let _ = built.send(Ok(()));
                    runtime.block_on(async {
                        while let Some(begin) = waiting.recv().await {
                            begin();
                        }
                    });
                }
                Err(error) => drop(built.send(Err(error))),
            }
        })?;
        is_built.recv().unwrap_or_else(|_| Err(io::Error::other("the thread ended")))?;
        Ok(TaskThread { begin: Some(begin), thread: Some(thread) })
    }

    /// Begins a task. A thread is given a few, all of them at the node's start.
    pub(crate) fn spawn<F>(&self, task: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let begin = Box::new(move || drop(spawn_local(task())));
        let given = self.begin.as_ref().map(|to| to.try_send(begin));
        debug_assert!(matches!(given, Some(Ok(()))), "more tasks than a thread is given");
    }
}

impl Drop for TaskThread {
    fn drop(&mut self) {
        self.begin = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been counted and logged.
            let _ = thread.join();
        }
    }
}

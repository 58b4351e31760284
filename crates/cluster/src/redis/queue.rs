//! What has come and was not asked for yet.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tokio::sync::Notify;

use crate::broker::BusEvent;

/// How many bytes may wait, one event more at most. Beyond that nothing is read, so that the server
/// keeps the rest; by default it cuts off who leaves more than 32 MiB there.
const BYTES: usize = 8 << 20;
/// What an event counts besides its message.
const OVERHEAD: usize = 64;

/// Between the connections that messages come from and the one who takes them, on one thread.
#[derive(Default)]
pub(super) struct SendQueue {
    events: RefCell<VecDeque<BusEvent>>,
    bytes: Cell<usize>,
    filled: Notify,
    emptied: Notify,
}

impl SendQueue {
    /// Adds an event, when there is room.
    pub(super) async fn push(&self, event: BusEvent) {
        while self.bytes.get() >= BYTES {
            self.emptied.notified().await;
        }
        self.bytes.set(self.bytes.get() + size(&event));
        self.events.borrow_mut().push_back(event);
        self.filled.notify_one();
    }

    /// Takes the oldest event, when there is one; for one taker. Dropping this loses nothing.
    pub(super) async fn pop(&self) -> BusEvent {
        loop {
            let event = self.events.borrow_mut().pop_front();
            if let Some(event) = event {
                self.bytes.set(self.bytes.get() - size(&event));
                self.emptied.notify_one();
                return event;
            }
            self.filled.notified().await;
        }
    }
}

fn size(event: &BusEvent) -> usize {
    match event {
        BusEvent::Message(message) => message.len() + OVERHEAD,
        BusEvent::Up | BusEvent::Down { .. } => OVERHEAD,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::task::{LocalSet, spawn_local};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_brings_too_much_waits() {
        let queue = Rc::new(SendQueue::default());
        let message = BusEvent::Message(Bytes::from(vec![0; BYTES / 4]));
        let bringing = async {
            for _ in 0..3 {
                let (queue, message) = (queue.clone(), message.clone());
                spawn_local(async move {
                    for _ in 0..5 {
                        queue.push(message.clone()).await;
                    }
                });
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(queue.events.borrow().len(), 4);
            for _ in 0..15 {
                assert_eq!(queue.pop().await, message);
            }
            assert!(timeout(Duration::from_secs(1), queue.pop()).await.is_err());
            assert_eq!(queue.bytes.get(), 0);
        };
        LocalSet::new().run_until(bringing).await;
    }
}

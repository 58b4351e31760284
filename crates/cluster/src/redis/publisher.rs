//! One connection that messages go to.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use redis_connections::{Incoming, Outgoing, Reply, Wire, WireError};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::listener::next;

/// How many messages may wait for one connection.
const WAITING: usize = 64;

struct Message {
    channel: String,
    content: Bytes,
}

/// Where messages for one connection are left. When the connection ends, so does this.
pub(super) struct Outbox {
    queue: mpsc::Sender<Message>,
    /// The last message has waited in vain; until one is taken, others need not.
    stuck: Cell<bool>,
}

/// What an [`Outbox`] is emptied through.
pub(super) struct Publisher(mpsc::Receiver<Message>);

impl Outbox {
    pub(super) fn new() -> (Outbox, Publisher) {
        let (queue, messages) = mpsc::channel(WAITING);
        (Outbox { queue, stuck: Cell::new(false) }, Publisher(messages))
    }

    /// Leaves a message; waits for so long at most if there is no room. Whether it was taken.
    pub(super) async fn leave(&self, channel: String, content: Bytes, patience: Duration) -> bool {
        let patience = if self.stuck.get() { Duration::ZERO } else { patience };
        let room = match self.queue.try_reserve() {
            Ok(room) => Some(room),
            Err(_) => timeout(patience, self.queue.reserve()).await.ok().and_then(Result::ok),
        };
        self.stuck.set(room.is_none());
        match room {
            Some(room) => {
                room.send(Message { channel, content });
                true
            }
            None => false,
        }
    }
}

impl Publisher {
    /// Publishes what is left in the outbox, until the connection ends; says why it did.
    pub(super) async fn publish(self, wire: Wire, command: &str, silence: Duration) -> String {
        let server = wire.address().clone();
        let (incoming, outgoing) = wire.split();
        let reason = tokio::select! {
            reason = answers(incoming, silence) => reason,
            error = self.send(outgoing, command, silence) => error.to_string(),
        };
        format!("Redis {server}: {reason}")
    }

    async fn send(mut self, mut to: Outgoing, command: &str, silence: Duration) -> WireError {
        let mut pings = interval(silence / 4);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut messages = Vec::with_capacity(WAITING);
        loop {
            // The outbox may be gone already, when nobody has use for this connection any more.
            let sent = async {
                tokio::select! {
                    _ = pings.tick() => to.put(&[b"PING"]).await?,
                    1.. = self.0.recv_many(&mut messages, WAITING) => {}
                }
                for Message { channel, content } in messages.drain(..) {
                    to.put(&[command.as_bytes(), channel.as_bytes(), &content]).await?;
                }
                to.flush().await
            };
            if let Err(error) = sent.await {
                return error;
            }
        }
    }
}

/// Nobody waits for the answers; but one that is an error means that something is not as we think,
/// for instance that the channel's slot has moved.
async fn answers(mut incoming: Incoming, silence: Duration) -> String {
    loop {
        match next(&mut incoming, silence).await {
            Ok(Reply::Error(reason)) | Err(reason) => return reason,
            Ok(_) => {}
        }
    }
}

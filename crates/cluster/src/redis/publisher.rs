//! One connection that messages go to.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use redis_client::{ConnectError, Incoming, Outgoing, Reply, Wire, WireError};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::listener::next;

/// How many messages may wait for one connection.
const WAITING: usize = 64;

struct Publication {
    channel: String,
    content: Bytes,
}

/// Where messages for one connection are left. When the connection ends, so does this.
pub(super) struct Outbox {
    queue: mpsc::Sender<Publication>,
    /// The last message has waited in vain; until one is taken, others need not.
    stuck: Cell<bool>,
}

/// What an [`Outbox`] is emptied through.
pub(super) struct RedisPublisher(mpsc::Receiver<Publication>);

impl Outbox {
    pub(super) fn new() -> (Outbox, RedisPublisher) {
        let (queue, messages) = mpsc::channel(WAITING);
        (Outbox { queue, stuck: Cell::new(false) }, RedisPublisher(messages))
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
                room.send(Publication { channel, content });
                true
            }
            None => false,
        }
    }
}

impl RedisPublisher {
    /// Publishes what is left in the outbox, until the connection ends; says why it did.
    pub(super) async fn publish(self, mut wire: Wire, command: &str, silence: Duration) -> String {
        let server = wire.address().clone();
        let answers = match timeout(silence, Answers::of(&mut wire, command)).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => return error.to_string(),
            Err(_) => return format!("Redis {server}: no answer for {silence:?}"),
        };
        let (incoming, outgoing) = wire.split();
        let reason = tokio::select! {
            reason = hear(incoming, silence) => reason,
            error = self.send(outgoing, command, answers, silence) => error.to_string(),
        };
        format!("Redis {server}: {reason}")
    }

    async fn send(
        mut self,
        mut to: Outgoing,
        command: &str,
        mut answers: Answers,
        silence: Duration,
    ) -> WireError {
        let mut pings = interval(silence / 4);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut messages = Vec::with_capacity(WAITING);
        loop {
            // The outbox may be gone already, when nobody has use for this connection any more.
            let sent = async {
                tokio::select! {
                    _ = pings.tick() => {
                        answers.ask(&mut to).await?;
                        to.put(&[b"PING"]).await?;
                    }
                    1.. = self.0.recv_many(&mut messages, WAITING) => {
                        for Publication { channel, content } in messages.drain(..) {
                            to.put(&[command.as_bytes(), channel.as_bytes(), &content]).await?;
                        }
                        answers.spare(&mut to).await?;
                    }
                }
                to.flush().await
            };
            if let Err(error) = sent.await {
                return error;
            }
        }
    }
}

/// Whether the server answers what is published. Nobody waits for it, and for each message it costs
/// the server a write and us a wake-up; so only what goes out first after each `PING` is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// To everything.
    Always,
    /// To what goes out next.
    Asked,
    /// To nothing.
    Spared,
}

impl Answers {
    /// What this server can do, and what is wise for this command.
    async fn of(wire: &mut Wire, command: &str) -> Result<Answers, ConnectError> {
        // A sharded channel may move to another server, which is to be noticed at once.
        if command != "PUBLISH" {
            return Ok(Answers::Always);
        }
        match wire.call(&["CLIENT", "REPLY", "ON"]).await {
            Ok(_) => Ok(Answers::Asked),
            // It does not know it, or this user may not.
            Err(ConnectError::Refused { .. }) => Ok(Answers::Always),
            Err(error) => Err(error),
        }
    }

    /// From here on there are answers.
    async fn ask(&mut self, to: &mut Outgoing) -> Result<(), WireError> {
        if *self == Answers::Spared {
            to.put(&[b"CLIENT", b"REPLY", b"ON"]).await?;
            *self = Answers::Asked;
        }
        Ok(())
    }

    /// From here on there are none, if that is possible.
    async fn spare(&mut self, to: &mut Outgoing) -> Result<(), WireError> {
        if *self == Answers::Asked {
            to.put(&[b"CLIENT", b"REPLY", b"OFF"]).await?;
            *self = Answers::Spared;
        }
        Ok(())
    }
}

/// Nobody waits for the answers; but one that is an error means that something is not as we think,
/// for instance that the channel's slot has moved.
async fn hear(mut incoming: Incoming, silence: Duration) -> String {
    loop {
        match next(&mut incoming, silence).await {
            Ok(Reply::Error(reason)) | Err(reason) => return reason,
            Ok(_) => {}
        }
    }
}

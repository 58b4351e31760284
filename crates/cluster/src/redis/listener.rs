//! One connection that messages come from.

use std::time::Duration;

use bytes::Bytes;
use redis_client::{Address, Incoming, Outgoing, RedisOptions, Reply};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::queue::SendQueue;
use crate::broker::BusEvent;

/// Something that a server sends.
enum ServerMessage {
    Message(Bytes),
    Subscribed,
    Unsubscribed,
    Refused(String),
    /// The answer to a `PING`.
    Alive,
}

/// A connection that has subscribed to what it should.
pub(super) struct Listener {
    pub(super) server: Address,
    incoming: Incoming,
    outgoing: Outgoing,
}

impl Listener {
    /// Connects to a server and subscribes to channels, all within twice `connect_timeout`. What
    /// comes before it has subscribed to all is lost.
    pub(super) async fn subscribe(
        options: &RedisOptions,
        server: &Address,
        command: &str,
        channels: &[&str],
    ) -> Result<Listener, String> {
        let wire = options.open(server).await.map_err(|error| error.to_string())?;
        let (incoming, outgoing) = wire.split();
        let mut listener = Listener { server: server.clone(), incoming, outgoing };
        let subscribed = listener.confirm(command, channels);
        let after = options.connect_timeout;
        let late = |_| format!("no answer to {command} within {after:?}");
        let confirmed = timeout(after, subscribed).await.map_err(late);
        match confirmed.flatten() {
            Ok(()) => Ok(listener),
            Err(reason) => Err(format!("Redis {server}: {reason}")),
        }
    }

    async fn confirm(&mut self, command: &str, channels: &[&str]) -> Result<(), String> {
        for channel in channels {
            // Sharded channels of one command would have to be in one slot.
            let command = [command.as_bytes(), channel.as_bytes()];
            self.outgoing.put(&command).await.map_err(|error| error.to_string())?;
        }
        self.outgoing.flush().await.map_err(|error| error.to_string())?;
        let mut missing = channels.len();
        while missing > 0 {
            match told(self.incoming.next().await.map_err(|error| error.to_string())?) {
                ServerMessage::Subscribed => missing -= 1,
                ServerMessage::Refused(error) => return Err(error),
                ServerMessage::Unsubscribed => return Err(MOVED.into()),
                ServerMessage::Message(_) | ServerMessage::Alive => {}
            }
        }
        Ok(())
    }

    /// Passes on what comes, until the connection ends; says why it did.
    pub(super) async fn listen(self, queue: &SendQueue, silence: Duration) -> String {
        let Listener { server, incoming, outgoing } = self;
        let reason = tokio::select! {
            reason = hear(incoming, queue, silence) => reason,
            reason = ping(outgoing, silence) => reason,
        };
        format!("Redis {server}: {reason}")
    }
}

const MOVED: &str = "the channel is not here any more";

async fn hear(mut incoming: Incoming, queue: &SendQueue, silence: Duration) -> String {
    loop {
        // While the queue has no room nothing is read, and no silence counted.
        match next(&mut incoming, silence).await.map(told) {
            Ok(ServerMessage::Message(message)) => queue.push(BusEvent::Message(message)).await,
            Ok(ServerMessage::Refused(reason)) | Err(reason) => return reason,
            Ok(ServerMessage::Unsubscribed) => return MOVED.into(),
            Ok(ServerMessage::Subscribed | ServerMessage::Alive) => {}
        }
    }
}

/// What comes next, if something does in time.
pub(super) async fn next(incoming: &mut Incoming, silence: Duration) -> Result<Reply, String> {
    match timeout(silence, incoming.next()).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it has been silent for {silence:?}")),
    }
}

async fn ping(mut outgoing: Outgoing, silence: Duration) -> String {
    let mut ticks = interval(silence / 4);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let sent = async {
            outgoing.put(&[b"PING"]).await?;
            outgoing.flush().await
        };
        if let Err(error) = sent.await {
            return error.to_string();
        }
    }
}

fn told(reply: Reply) -> ServerMessage {
    let mut elements = match reply {
        Reply::Array(elements) => elements,
        Reply::Error(error) => return ServerMessage::Refused(error),
        _ => return ServerMessage::Alive,
    };
    let kind = elements.first().and_then(Reply::text).unwrap_or_default();
    match kind {
        "message" | "smessage" => match elements.pop() {
            Some(Reply::Bulk(Some(message))) => ServerMessage::Message(message),
            _ => ServerMessage::Alive,
        },
        "subscribe" | "ssubscribe" => ServerMessage::Subscribed,
        "unsubscribe" | "sunsubscribe" => ServerMessage::Unsubscribed,
        _ => ServerMessage::Alive,
    }
}

//! What a shard can be asked to do. Everything that a client is sent comes out of its shard's
//! inbox as one of these, in the order in which it was decided.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channels::{ConnectionId, Delivery};
use protocol::close::Close;
use tokio::sync::oneshot;

use super::report::ShardReport;

/// One thing for a shard to do.
#[derive(Debug)]
pub(crate) enum Op {
    /// What was decided on a channel.
    Channel(Delivery),
    /// Send a frame to one connection.
    Send { to: ConnectionId, frame: Bytes },
    /// Every watched user's state is known: say it.
    WatchlistReady { to: ConnectionId },
    /// Say why, then close one connection.
    Close { to: ConnectionId, close: Close },
    /// Close every connection of an app.
    CloseApp { app: Arc<str>, close: Close },
    /// Close every connection, spread evenly over a time (W17).
    Disperse { close: Close, over: Duration },
    /// End the shard.
    Stop,
    /// A bug, for the tests.
    #[cfg(test)]
    Panic,
    /// Tell what the shard holds.
    Report(oneshot::Sender<ShardReport>),
}

impl Op {
    /// What the operation weighs in the inbox.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Op::Channel(delivery) => delivery.bytes(),
            Op::Send { frame, .. } => frame.len(),
            _ => 0,
        }
    }
}

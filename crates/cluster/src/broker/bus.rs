//! What a broker has to offer: a stream of events and a way to publish.

use crate::Incarnation;
use bytes::Bytes;
use std::future::Future;

/// One message of the broker, or a change of the connection to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEvent {
    /// The connection stands and everything is subscribed.
    Up,
    /// The connection broke; the bus is already trying again.
    Down {
        /// What happened, for the log.
        reason: String,
    },
    /// A message, from our own inbox and from the hello subject alike.
    Message(Bytes),
}

/// Who shall get a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum To {
    /// Every node that listens to the hello subject, ourselves included.
    Everybody,
    /// The inbox of one node.
    Node(Incarnation),
}

/// A message may not have reached the broker.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// There is no connection now.
    #[error("the broker is not connected now")]
    Down,
    /// The broker takes no message of this length.
    #[error("a message of {size} bytes is longer than the {max} bytes that the broker takes")]
    TooLong {
        /// The length of the message.
        size: usize,
        /// The most that the broker takes.
        max: usize,
    },
    /// Anything else.
    #[error("the broker did not take a message: {0}")]
    Other(String),
}

/// A broker as the cluster uses it.
///
/// A bus reconnects by itself, for ever, with capped jittered backoff (100 ms to 1 s), logs each
/// transition once and subscribes again; it never ends. It may lose, repeat and reorder messages.
pub trait Bus: 'static {
    /// What comes next: from our inbox and from the hello subject alike. Dropping the future
    /// loses nothing (it is used as a branch of a `select!`).
    fn next(&self) -> impl Future<Output = BusEvent>;

    /// Hands a message to the connection; waits while that takes no more, for a bounded time. It
    /// does not wait for the broker's answer. An error means that the message may be lost, which
    /// the links notice.
    fn publish(&self, to: &To, message: Bytes) -> impl Future<Output = Result<(), BusError>>;

    /// The most bytes of one message, where the broker has such a limit.
    fn max_message(&self) -> Option<usize>;
}

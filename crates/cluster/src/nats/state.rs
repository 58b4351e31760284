//! What the client tells of its connection, from tasks of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_nats::{ClientError, Event};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::broker::Counter;

/// What a connection to NATS has seen since its start. Counted on its thread, read on any.
#[derive(Debug, Default)]
pub struct NatsCounters {
    /// How often the client has said that it dropped a message because we read too slowly. It may
    /// have dropped more than that.
    pub slow_consumer: Counter,
    /// Errors that the server has told, such as a missing permission.
    pub server_errors: Counter,
    /// Attempts to connect that failed.
    pub failed_connects: Counter,
}

/// The client says no more than that the system, or the server, gave an error; but it has logged it.
const REFUSED: &str = "nobody listens there, it closes the connection, or its certificate is not \
     believed; RUST_LOG=info,async_nats=error says more";

/// Shared by the connection and the client's tasks.
#[derive(Debug, Default)]
pub(super) struct NatsState {
    pub(super) counters: Arc<NatsCounters>,
    /// Where it connects to, for the log.
    servers: String,
    broken: AtomicU64,
    changed: Notify,
    /// What was logged last, since the connection stood last; so that each is logged once.
    trouble: Mutex<Option<String>>,
}

impl NatsState {
    pub(super) fn new(servers: &[String]) -> Self {
        NatsState { servers: servers.join(", "), ..NatsState::default() }
    }

    /// Takes down what the client tells.
    pub(super) fn note(&self, event: Event) {
        match event {
            Event::Disconnected => _ = self.broken.fetch_add(1, Relaxed),
            Event::SlowConsumer(_) => {
                self.counters.slow_consumer.add();
                return self.warn("messages were dropped, they came faster than they were read");
            }
            Event::ServerError(error) => {
                self.counters.server_errors.add();
                return self.warn(unnamed(&error.to_string()));
            }
            Event::ClientError(error) => {
                self.counters.failed_connects.add();
                return self.warn(&self.no_connection(&error));
            }
            Event::LameDuckMode => tracing::info!("the nats server is about to stop"),
            Event::Connected | Event::Draining | Event::Closed => {}
        }
        self.changed.notify_one();
    }

    /// Waits until the connection has changed, perhaps.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How many connections have broken.
    pub(super) fn broken(&self) -> u64 {
        self.broken.load(Relaxed)
    }

    /// The connection stands, so trouble is worth a line again.
    pub(super) fn connected(&self) {
        *self.trouble.lock() = None;
    }

    /// Why the connection broke, as far as it is known.
    pub(super) fn reason(&self) -> String {
        let trouble = self.trouble.lock().clone();
        trouble.unwrap_or_else(|| "the server closed the connection or does not answer".into())
    }

    /// The client does not tell which server it was, nor what the system said.
    fn no_connection(&self, error: &ClientError) -> String {
        let error = error.to_string();
        let error = match unnamed(&error) {
            "IO error" => REFUSED,
            other => other,
        };
        format!("no connection to {}: {error}", self.servers)
    }

    fn warn(&self, trouble: &str) {
        let mut last = self.trouble.lock();
        if last.as_deref() != Some(trouble) {
            tracing::warn!("nats: {trouble}");
            *last = Some(trouble.to_owned());
        }
    }
}

/// An error without the name that each of the client's begins with.
fn unnamed(error: &str) -> &str {
    error.strip_prefix("nats: ").unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use async_nats::ServerError;

    use super::*;

    #[tokio::test]
    async fn broken_connections_are_counted_and_wake() {
        let state = NatsState::default();
        state.note(Event::SlowConsumer(1));
        state.note(Event::SlowConsumer(1));
        assert_eq!((state.broken(), state.counters.slow_consumer.get()), (0, 2));
        state.note(Event::Disconnected);
        state.changed().await;
        assert_eq!(state.broken(), 1);
    }

    #[test]
    fn the_reason_is_what_was_said_last() {
        let state = NatsState::default();
        state.note(Event::ServerError(ServerError::Other("no more".into())));
        assert!(state.reason().contains("no more"));
        state.connected();
        assert!(!state.reason().contains("no more"));
    }

    #[test]
    fn a_failed_attempt_names_the_servers_and_the_reason() {
        let state = NatsState::new(&["a:1".into(), "b:2".into()]);
        let told = |error: &str| {
            state.note(Event::ClientError(ClientError::Other(error.into())));
            state.reason()
        };
        let to = "no connection to a:1, b:2:";
        assert_eq!(told("authorization violation"), format!("{to} authorization violation"));
        assert!(told("IO error").starts_with(&format!("{to} nobody listens there")));
        assert_eq!(state.counters.failed_connects.get(), 2);
    }
}

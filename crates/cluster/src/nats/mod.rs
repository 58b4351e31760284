//! NATS as a broker: a subject for hellos, and one for each node's inbox. It must not know what a
//! message means.
//!
//! Subjects are `{prefix}dunlin.hello` and `{prefix}dunlin.node.{incarnation}`. In the prefix, what
//! cannot be in a subject is written as `%` and two hexadecimal digits for each byte: everything
//! but printable ASCII, the wildcards `*` and `>`, `%` itself, `$`, because the server keeps such
//! subjects for itself, and a `.` that would leave a level empty.
//!
//! Nothing else is subscribed or published, so an account that may publish and subscribe
//! `{prefix}dunlin.>` is enough; no JetStream, and nobody else who uses the account is disturbed.
//!
//! The client drops messages if we do not read them fast enough; that is counted, and the links
//! send again what was in them.

mod config;
mod pauses;
mod state;
mod subjects;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_nats::client::PublishErrorKind;
use async_nats::{Client, ConnectOptions, Subscriber, connection::State as Connection};
use bytes::Bytes;
use futures_core::Stream;
use tokio::task::coop::unconstrained;
use tokio::time::{sleep, timeout};

pub use config::{NatsConfig, NatsError};
pub use state::NatsCounters;

use crate::Incarnation;
use crate::broker::{Bus, BusError, BusEvent, To};
use pauses::Pauses;
use state::NatsState;
use subjects::Subjects;

/// How often the server is asked whether it is still there, if it says nothing. The third question
/// without an answer ends the connection.
const PING_EVERY: Duration = Duration::from_millis(500);
/// How many messages wait at most to be written; those of a stream have 256 KiB and less, usually.
const WAITING_OUT: usize = 32;
/// How many messages of one subject wait at most to be read by us. More than what is read from the
/// socket at once ([`READ`] for each of the runtime's 128 turns) unless they are tiny.
const WAITING_IN: usize = 16 << 10;
/// How much is read from the socket at once, in bytes.
const READ: u16 = 16 << 10;
/// How long a message waits for room.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);
/// How often to look at the connection, should the client not tell of a change.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A connection to a NATS server, or to one of several, which is made again whenever it breaks.
pub struct Nats {
    client: Client,
    subjects: Subjects,
    /// Polled by [`next`](Bus::next) only, and never across an await.
    hellos: RefCell<Subscriber>,
    inbox: RefCell<Subscriber>,
    state: Arc<NatsState>,
    /// What [`next`](Bus::next) has told.
    up: Cell<bool>,
    /// How many broken connections it has told of.
    broken: Cell<u64>,
}

impl Nats {
    /// Begins to connect; `me` is whose inbox it is. It need not succeed now: that is tried for
    /// ever. To be called on the driver's thread; the client's tasks run on its runtime.
    ///
    /// # Errors
    /// The configuration is wrong, see [`NatsError`].
    pub async fn connect(config: NatsConfig, me: Incarnation) -> Result<Nats, NatsError> {
        let servers = config.servers()?;
        let authorities = config.authorities()?;
        let subjects = Subjects::new(&config.prefix);
        let state = Arc::new(NatsState::new(&config.servers));
        let pauses = Pauses::new(servers.len());
        let watcher = state.clone();
        let mut options = ConnectOptions::new()
            .name(format!("dunlin {}", config.name))
            .connection_timeout(config.connect_timeout)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(move |attempt| pauses.before(attempt))
            .ping_interval(PING_EVERY)
            .client_capacity(WAITING_OUT)
            .subscription_capacity(WAITING_IN)
            .read_buffer_capacity(READ)
            .event_callback(move |event| {
                watcher.note(event);
                std::future::ready(())
            });
        if let Some(user) = config.user {
            options = options.user_and_password(user, config.password.unwrap_or_default());
        }
        if let Some(authorities) = authorities {
            options = options.add_root_certificates(authorities);
        }
        if let Some(token) = config.token {
            options = options.token(token);
        }
        let failed = |error: &dyn std::error::Error| NatsError::Client(error.to_string());
        let client = options.connect(servers).await.map_err(|error| failed(&error))?;
        let hellos = client.subscribe(subjects.hello()).await.map_err(|error| failed(&error))?;
        let inbox = client.subscribe(subjects.node(me)).await.map_err(|error| failed(&error))?;
        Ok(Nats {
            client,
            subjects,
            hellos: RefCell::new(hellos),
            inbox: RefCell::new(inbox),
            state,
            up: Cell::new(false),
            broken: Cell::new(0),
        })
    }

    /// What has been seen so far; counts on by itself.
    pub fn counters(&self) -> Arc<NatsCounters> {
        self.state.counters.clone()
    }

    /// A change of the connection that was not told yet. One that broke and stands again in the
    /// meantime is told as two changes.
    fn change(&self) -> Option<BusEvent> {
        let broken = self.state.broken();
        let connected = self.client.connection_state() == Connection::Connected;
        let unseen = self.broken.replace(broken) != broken;
        if self.up.get() && (unseen || !connected) {
            self.up.set(false);
            let reason = self.state.reason();
            tracing::warn!(reason, "nats is down, trying to connect again");
            return Some(BusEvent::Down { reason });
        }
        if !self.up.get() && connected {
            self.up.set(true);
            self.state.connected();
            let info = self.client.server_info();
            tracing::info!(server = info.server_name, version = info.version, "nats is up");
            return Some(BusEvent::Up);
        }
        None
    }

    /// The next message. Hellos first: they are few, and say who is behind the rest.
    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<Bytes> {
        for subscriber in [&self.hellos, &self.inbox] {
            let mut subscriber = subscriber.borrow_mut();
            if let Poll::Ready(Some(message)) = Pin::new(&mut *subscriber).poll_next(cx) {
                return Poll::Ready(message.payload);
            }
        }
        Poll::Pending
    }
}

impl Bus for Nats {
    async fn next(&self) -> BusEvent {
        loop {
            if let Some(event) = self.change() {
                return event;
            }
            // Without the runtime's budget, so that all that the client has read is taken before
            // it reads more.
            let message = unconstrained(poll_fn(|cx| self.poll_message(cx)));
            tokio::select! {
                biased;
                () = self.state.changed() => {}
                message = message => return BusEvent::Message(message),
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn publish(&self, to: &To, message: Bytes) -> Result<(), BusError> {
        if !self.up.get() {
            return Err(BusError::Down);
        }
        let subject = match to {
            To::Everybody => self.subjects.hello(),
            To::Node(peer) => self.subjects.node(*peer),
        };
        let size = message.len();
        match timeout(SEND_TIMEOUT, self.client.publish(subject, message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Err(BusError::TooLong { size, max: self.client.max_payload() })
            }
            Ok(Err(error)) => Err(BusError::Other(error.to_string())),
            Err(_) => Err(BusError::Other(format!("it took nothing for {SEND_TIMEOUT:?}"))),
        }
    }

    fn max_message(&self) -> Option<usize> {
        Some(self.client.max_payload())
    }
}

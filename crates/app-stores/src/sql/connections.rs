//! A few connections that are kept for the next question. Must not know what is asked on them.
//!
//! The pool of the library is not used: it hides a server that refuses connections behind a
//! time-out, and a connection that was given up in the middle of an answer blocks a place in it
//! until the server has answered.

use std::io::ErrorKind;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use config::DatabasePooling;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// After this much idleness a connection is opened anew, unless the options want it kept: what
/// stands between us and the server may have forgotten it.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// For how long a connection may say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Connections at a time without `databasePooling.enabled`: one that answers slowly does not hold
/// up the next question.
const UNPOOLED: usize = 2;

/// The connections of a store. All of them answer to `options`.
pub(super) struct Connections<C: Connection> {
    options: C::Options,
    /// What to try when the encryption that the options only prefer does not come about.
    plain: Option<C::Options>,
    /// One permit for each connection that may be open.
    places: Semaphore,
    /// How many are kept however idle they are.
    min: usize,
    kept: Mutex<Vec<IdleConnection<C>>>,
}

struct IdleConnection<C> {
    connection: C,
    since: Instant,
}

/// The right to have a connection open.
pub(super) struct Permit<'a>(
    #[expect(dead_code, reason = "dropping it is all")] SemaphorePermit<'a>,
);

impl<C: Connection> Connections<C>
where
    C::Options: ConnectOptions<Connection = C>,
{
    pub(super) fn new(
        options: C::Options,
        plain: Option<C::Options>,
        pooling: &DatabasePooling,
    ) -> Self {
        let (min, max) = match pooling.enabled {
            true => (pooling.min as usize, pooling.max as usize),
            false => (0, UNPOOLED),
        };
        Self { options, plain, places: Semaphore::new(max), min, kept: Mutex::default() }
    }

    /// Waits for a place.
    pub(super) async fn turn(&self) -> Permit<'_> {
        match self.places.acquire().await {
            Ok(permit) => Permit(permit),
            // It is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// The connection that was used last, if one is kept. Those that have been idle for too long
    /// are closed.
    pub(super) fn kept(&self) -> Option<C> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stale = Vec::new();
        // The oldest is first.
        while kept.len() > self.min
            && kept.first().is_some_and(|oldest| oldest.since.elapsed() > MAX_IDLE)
        {
            stale.push(kept.remove(0).connection);
        }
        let next = kept.pop().map(|kept| kept.connection);
        drop(kept);
        for connection in stale {
            tokio::spawn(tokio::time::timeout(CLOSE_TIMEOUT, connection.close()));
        }
        next
    }

    /// Keeps a connection that has answered; its place is free from now on.
    pub(super) fn keep(&self, turn: Permit<'_>, connection: C) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(IdleConnection { connection, since: Instant::now() });
        drop(kept);
        drop(turn);
    }

    /// Drops all that are kept.
    pub(super) fn forget(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<C, sqlx::Error> {
        match (self.options.connect().await, &self.plain) {
            (Err(error), Some(plain)) if is_tls(&error) => plain.connect().await,
            (connected, _) => connected,
        }
    }
}

/// Whether an encrypted connection did not come about. What is wrong with a certificate or with the
/// versions of TLS reaches us as data that is invalid.
pub(super) fn is_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => error.kind() == ErrorKind::InvalidData,
        _ => false,
    }
}

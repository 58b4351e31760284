//! A client that connects when it has to, and again when the connection is lost.

use std::time::Duration;

use failures::Backoff;
use parking_lot::Mutex;
use redis::{Cmd, FromRedisValue, RedisError, RedisResult};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{Commands, RedisOptions, is_away};

/// The pauses between attempts to connect, at least and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Sends commands over one connection, many at a time. Shared by all who use it in one runtime: the
/// one that opened the connection serves it.
///
/// A call that finds no connection opens one. One that finds Redis away ends the connection, and
/// until a pause is over all calls fail at once, so that nobody is kept waiting.
pub struct Client {
    options: RedisOptions,
    /// How long a call may take, with everything that the connection tries by itself.
    call_timeout: Duration,
    state: Mutex<ClientState>,
    /// Held by whoever connects; the others wait for what comes of it.
    connecting: tokio::sync::Mutex<()>,
    lost: Notify,
    on_change: Box<dyn Fn(ConnectionChange<'_>) + Send + Sync>,
}

struct ClientState {
    /// The connection, which one it is, and since when it stands.
    open: Option<(Commands, u64, Instant)>,
    /// How many connections were opened.
    opened: u64,
    /// Before this, nobody tries to connect.
    not_before: Instant,
    backoff: Backoff,
    /// Why there is no connection; none before the first attempt.
    reason: Option<String>,
}

/// What has become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionChange<'a> {
    /// It stands.
    Up,
    /// It is lost, or the first attempt to connect has failed, and why.
    Down(&'a str),
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Redis cannot do anything now.
    #[error("{0}")]
    Away(String),
    /// Redis refused this one call.
    #[error(transparent)]
    Refused(RedisError),
}

impl Client {
    /// Not connected yet. A call that takes longer than `call_timeout` ends the connection.
    pub fn new(options: RedisOptions, call_timeout: Duration) -> Self {
        let state = ClientState {
            open: None,
            opened: 0,
            not_before: Instant::now(),
            backoff: Backoff::new(PAUSES.0, PAUSES.1),
            reason: None,
        };
        Client {
            options,
            call_timeout,
            state: Mutex::new(state),
            connecting: tokio::sync::Mutex::default(),
            lost: Notify::new(),
            on_change: Box::new(|_| {}),
        }
    }

    /// Calls `on_change` whenever the connection comes or goes, by whoever notices it.
    #[must_use]
    pub fn on_change(
        mut self,
        on_change: impl Fn(ConnectionChange<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.on_change = Box::new(on_change);
        self
    }

    /// What it connects to.
    pub fn options(&self) -> &RedisOptions {
        &self.options
    }

    /// Whether there is a connection, as far as is known.
    pub fn is_up(&self) -> bool {
        self.state.lock().open.is_some()
    }

    /// When the next attempt to connect may be made.
    pub fn not_before(&self) -> Instant {
        self.state.lock().not_before
    }

    /// Connects without waiting for a call, and again and again, for ever.
    pub async fn keep_connected(&self) {
        loop {
            match self.connection().await {
                Ok(_) => self.lost.notified().await,
                Err(_) => sleep_until(self.not_before()).await,
            }
        }
    }

    /// Sends a command.
    ///
    /// # Errors
    /// There is no answer, see [`CallError`].
    pub async fn query<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, CallError> {
        self.call(|mut commands| async move { cmd.query_async(&mut commands).await }).await
    }

    /// Makes a call that takes several commands.
    ///
    /// # Errors
    /// There is no answer, see [`CallError`].
    pub async fn call<T, F: Future<Output = RedisResult<T>>>(
        &self,
        make: impl FnOnce(Commands) -> F,
    ) -> Result<T, CallError> {
        let (commands, number) = self.connection().await?;
        let reason = match timeout(self.call_timeout, make(commands)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if !is_away(&error) => return Err(CallError::Refused(error)),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {:?}", self.call_timeout),
        };
        self.lose(number, &reason);
        Err(CallError::Away(reason))
    }

    async fn connection(&self) -> Result<(Commands, u64), CallError> {
        if let Some(known) = self.known() {
            return known;
        }
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        // Sentinels or nodes of a cluster may have to be asked before.
        let limit = 2 * self.options.connect_timeout;
        let reason = match timeout(limit, self.options.commands()).await {
            Ok(Ok(commands)) => return Ok(self.opened(commands)),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {limit:?}"),
        };
        let is_first = self.pause(Duration::ZERO, &reason);
        if is_first {
            (self.on_change)(ConnectionChange::Down(&reason));
        }
        Err(CallError::Away(reason))
    }

    /// What is known without an attempt to connect.
    fn known(&self) -> Option<Result<(Commands, u64), CallError>> {
        let state = self.state.lock();
        match (&state.open, &state.reason) {
            (Some((commands, number, _)), _) => Some(Ok((commands.clone(), *number))),
            (None, Some(reason)) if Instant::now() < state.not_before => {
                Some(Err(CallError::Away(reason.clone())))
            }
            (None, _) => None,
        }
    }

    fn opened(&self, commands: Commands) -> (Commands, u64) {
        let number = {
            let mut state = self.state.lock();
            state.opened += 1;
            state.open = Some((commands.clone(), state.opened, Instant::now()));
            state.opened
        };
        (self.on_change)(ConnectionChange::Up);
        (commands, number)
    }

    /// A connection is of no use any more. Many may notice.
    fn lose(&self, number: u64, reason: &str) {
        let lost = {
            let open = &mut self.state.lock().open;
            open.take_if(|(_, open, _)| *open == number)
        };
        let Some((.., since)) = lost else { return };
        self.pause(since.elapsed(), reason);
        (self.on_change)(ConnectionChange::Down(reason));
        self.lost.notify_one();
    }

    /// Has everybody wait, after a connection that lasted for so long. Whether this is the first
    /// thing that happens.
    fn pause(&self, lasted: Duration, reason: &str) -> bool {
        let mut state = self.state.lock();
        state.not_before = Instant::now() + state.backoff.pause_after(lasted);
        state.reason.replace(reason.to_owned()).is_none() && state.opened == 0
    }
}

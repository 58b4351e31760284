//! The connection of a queue: opened when it is needed, and again after it broke.

use std::sync::Arc;
use std::time::Duration;

use failures::Backoff;
use parking_lot::Mutex;
use redis::{Cmd, FromRedisValue, RedisError};
use redis_connections::{Commands, RedisOptions, is_away};
use tokio::time::{Instant, timeout};

use super::script::Call;
use crate::QueueError;
use crate::backoff;
use crate::counters::Tally;

/// How long a call may take, with everything that the connection tries by itself.
const PATIENCE: Duration = Duration::from_secs(8);

/// Shared by all who use a queue in Redis, in one runtime: the one that opened the connection serves
/// it.
pub(crate) struct Link {
    pub(crate) options: RedisOptions,
    pub(crate) tally: Arc<Tally>,
    state: Mutex<State>,
    /// Held by whoever connects; the others wait for what comes of it.
    connecting: tokio::sync::Mutex<()>,
}

struct State {
    open: Option<Commands>,
    /// How often a connection was opened.
    opened: u64,
    /// Before this, nobody tries to connect.
    not_before: Instant,
    backoff: Backoff,
    reason: String,
}

impl Link {
    pub(crate) fn new(options: RedisOptions, tally: Arc<Tally>) -> Self {
        let state = State {
            open: None,
            opened: 0,
            not_before: Instant::now(),
            backoff: backoff(),
            reason: String::new(),
        };
        Link { options, tally, state: Mutex::new(state), connecting: tokio::sync::Mutex::new(()) }
    }

    /// Runs a script.
    pub(crate) async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T, QueueError> {
        let (mut commands, opened) = self.commands().await?;
        let answer = timeout(PATIENCE, call.make(&mut commands)).await;
        self.judge(answer, opened)
    }

    /// Sends a command.
    pub(crate) async fn call<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, QueueError> {
        let (mut commands, opened) = self.commands().await?;
        let answer = timeout(PATIENCE, cmd.query_async(&mut commands)).await;
        self.judge(answer, opened)
    }

    /// When the next attempt to connect may be made.
    pub(crate) fn not_before(&self) -> Instant {
        self.state.lock().not_before
    }

    async fn commands(&self) -> Result<(Commands, u64), QueueError> {
        if let Some(ready) = self.ready() {
            return ready;
        }
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(ready) = self.ready() {
            return ready;
        }
        let limit = 2 * self.options.connect_timeout;
        let reason = match timeout(limit, self.options.commands()).await {
            Ok(Ok(commands)) => {
                let mut state = self.state.lock();
                state.opened += 1;
                state.open = Some(commands.clone());
                return Ok((commands, state.opened));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {limit:?}"),
        };
        Err(self.is_away(reason))
    }

    /// What is known without an attempt to connect.
    fn ready(&self) -> Option<Result<(Commands, u64), QueueError>> {
        let state = self.state.lock();
        match &state.open {
            Some(commands) => Some(Ok((commands.clone(), state.opened))),
            None if Instant::now() < state.not_before => {
                Some(Err(QueueError::Away(state.reason.clone())))
            }
            None => None,
        }
    }

    fn judge<T>(
        &self,
        answer: Result<Result<T, RedisError>, tokio::time::error::Elapsed>,
        opened: u64,
    ) -> Result<T, QueueError> {
        let reason = match answer {
            Ok(Ok(answer)) => {
                self.tally.answered("redis");
                self.state.lock().backoff.reset();
                return Ok(answer);
            }
            Ok(Err(error)) if !is_away(&error) => {
                self.tally.failed();
                return Err(QueueError::Refused(error.to_string()));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {PATIENCE:?}"),
        };
        let mut state = self.state.lock();
        if state.opened != opened || state.open.is_none() {
            // Somebody else has noticed.
            drop(state);
            self.tally.failed();
            return Err(QueueError::Away(reason));
        }
        state.open = None;
        drop(state);
        Err(self.is_away(reason))
    }

    fn is_away(&self, reason: String) -> QueueError {
        let mut state = self.state.lock();
        let never_seen = state.opened == 0 && state.reason.is_empty();
        state.not_before = Instant::now() + state.backoff.pause();
        state.reason.clone_from(&reason);
        drop(state);
        self.tally.away("redis", never_seen, &reason);
        QueueError::Away(reason)
    }
}

//! What a queue asks of Redis, with what is counted of it.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, FromRedisValue};
use redis_client::{CallError, Client, RedisOptions};

use super::script::Call;
use crate::QueueError;
use crate::counters::Tally;

/// How long a call may take, with everything that the connection tries by itself.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// Shared by all who use a queue in Redis, in one runtime.
pub(crate) struct RedisLink {
    pub(crate) client: Client,
    pub(crate) tally: Arc<Tally>,
}

impl RedisLink {
    pub(crate) fn new(options: RedisOptions, tally: Arc<Tally>) -> Self {
        RedisLink { client: Client::new(options, CALL_TIMEOUT), tally }
    }

    /// Runs a script.
    pub(crate) async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T, QueueError> {
        let made = self.client.call(|mut commands| async move { call.make(&mut commands).await });
        self.judge(made.await)
    }

    /// Sends a command.
    pub(crate) async fn call<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, QueueError> {
        self.judge(self.client.query(cmd).await)
    }

    fn judge<T>(&self, answer: Result<T, CallError>) -> Result<T, QueueError> {
        answer.inspect(|_| self.tally.answered("redis")).map_err(|error| match error {
            CallError::Refused(error) => {
                self.tally.failed();
                QueueError::Refused(error.to_string())
            }
            CallError::Away(reason) => {
                self.tally.away("redis", &reason);
                QueueError::Away(reason)
            }
        })
    }
}

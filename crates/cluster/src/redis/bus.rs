//! What the cluster sees of Redis.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis_client::OptionError;
use tokio::task::{AbortHandle, spawn_local};

use super::config::RedisConfig;
use super::names::Names;
use super::session::Session;
use crate::Incarnation;
use crate::broker::{Bus, BusError, BusEvent, Counter, To};

/// How long a message waits for a connection that takes no more.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// The same where others are to get theirs through other connections, and hellos must go on.
const LESS_PATIENCE: Duration = Duration::from_millis(250);

/// A Redis, until it is dropped. Lives on one thread.
pub struct RedisBus {
    session: Rc<Session>,
    unsent: Arc<Counter>,
    task: AbortHandle,
}

impl RedisBus {
    /// Begins to connect, whether the Redis is there or not. To be called on the driver's thread,
    /// inside of a `LocalSet` or a local runtime; all tasks stay on it.
    ///
    /// # Errors
    /// The options do not fit together.
    pub fn start(config: RedisConfig, me: Incarnation) -> Result<RedisBus, OptionError> {
        config.check()?;
        let names = Names::new(&config.prefix, me);
        let session = Session::new(config, names);
        let task = spawn_local(session.clone().live()).abort_handle();
        Ok(RedisBus { session, unsent: Arc::default(), task })
    }

    /// How many messages were not sent, because a master of a Redis Cluster was not there that had
    /// the receiver's inbox. Counts on by itself.
    pub fn unsent(&self) -> &Arc<Counter> {
        &self.unsent
    }
}

impl Bus for RedisBus {
    async fn next(&self) -> BusEvent {
        self.session.queue.pop().await
    }

    async fn publish(&self, to: &To, message: Bytes) -> Result<(), BusError> {
        let (publishers, names) = (&self.session.publishers, &self.session.names);
        if !self.session.up.get() {
            return Err(BusError::Down);
        }
        let channel = names.channel(*to);
        let (server, hello) = (publishers.server(&channel), publishers.server(&names.hello));
        let outbox = server.as_ref().and_then(|server| publishers.outbox(server));
        let patience = if server == hello { WRITE_TIMEOUT } else { LESS_PATIENCE };
        let taken = match &outbox {
            Some(outbox) => outbox.leave(channel, message, patience).await,
            None => false,
        };
        match (taken, &outbox) {
            (true, _) => Ok(()),
            // The way to one peer is no reason to take them all for unreachable; its link sends
            // again what it did not get.
            _ if server != hello => {
                self.unsent.add();
                Ok(())
            }
            (false, Some(_)) => Err(BusError::Other("the connection takes no more".into())),
            (false, None) => Err(BusError::Down),
        }
    }

    /// Redis takes 512 MiB.
    fn max_message(&self) -> Option<usize> {
        None
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! Our inbox in a Redis Cluster, where another server has it than the hello channel.

use std::time::Duration;

use redis_client::Address;
use tokio::time::{Instant, sleep};

use super::backoff;
use super::listener::Listener;
use super::routes::Routes;
use super::session::Session;

impl Session {
    /// Listens to it, for ever. While it is away the others hear that we are there, and later they
    /// send again what we did not get.
    pub(super) async fn keep_inbox(&self, first: Result<Listener, String>) {
        let mut backoff = backoff();
        let mut attempt = first;
        loop {
            let began = Instant::now();
            let mut lasted = Duration::ZERO;
            let reason = match attempt {
                Ok(listener) => {
                    let server = listener.server.clone();
                    let reason = tokio::select! {
                        reason = listener.listen(&self.queue, self.config.silence) => reason,
                        () = self.inbox_moves(&server) => format!("it has left Redis {server}"),
                    };
                    lasted = began.elapsed();
                    reason
                }
                Err(reason) => reason,
            };
            match lasted.is_zero() {
                true => tracing::debug!(reason, "no connection to our inbox in Redis"),
                false => tracing::warn!(reason, "lost our inbox in Redis, trying again"),
            }
            self.stale.notify_one();
            sleep(backoff.pause_after(lasted)).await;
            attempt = self.subscribe_inbox().await;
        }
    }

    /// Subscribes to it where it is now.
    pub(super) async fn subscribe_inbox(&self) -> Result<Listener, String> {
        let inbox = self.names.inbox.as_str();
        let routes = self.routes.borrow().clone();
        let server = routes.as_ref().and_then(|routes| Some((routes, routes.owner(inbox)?)));
        let Some((routes, server)) = server else {
            return Err(format!("no server has the slot of {inbox:?} now"));
        };
        Listener::subscribe(&self.config.subscribe, server, routes.subscribe(), &[inbox]).await
    }

    /// Waits until our inbox is somewhere else than at a server.
    async fn inbox_moves(&self, from: &Address) {
        let moved = |routes: &Option<Routes>| {
            let now = routes.as_ref().and_then(|routes| routes.owner(&self.names.inbox));
            now.is_some_and(|now| now != from)
        };
        // It fails only if the sender is gone, which is our own.
        let _ = self.routes.subscribe().wait_for(moved).await;
    }
}

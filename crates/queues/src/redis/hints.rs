//! Being woken: the channel on which others tell a worker that there is something to do.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use redis_client::{ConnectError, Reply, Topology, Wire};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::RedisQueue;
use crate::backoff;

/// How many hints may wait. One that finds no place is dropped, which costs its partition some time.
pub(super) const HINTS: usize = 1024;
/// How long nothing may come before the server is asked whether it is there, and how long its answer
/// may take.
const SILENCE: Duration = Duration::from_secs(15);

/// What there may be to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// This partition has jobs.
    Partition(String),
    /// There are partitions to be had.
    Partitions,
    /// Hints arrive from now on; what was told before may have been missed.
    Listening,
}

/// Listens for ever, on a connection of its own. If the server does not let us, the worker does
/// without.
pub(super) async fn listen(queue: Arc<RedisQueue>, worker: String, hints: mpsc::Sender<Hint>) {
    let channel = queue.keys.wake(&worker);
    let mut backoff = backoff();
    loop {
        match subscribe(&queue, &channel).await {
            Ok(wire) => {
                if hints.send(Hint::Listening).await.is_err() {
                    return;
                }
                backoff.reset();
                let master = wire.address().clone();
                tokio::select! {
                    () = forward(wire, &hints) => {}
                    // Nobody publishes at this one any more.
                    _ = queue.link.client.options().successor(&master) => {}
                }
            }
            Err(error) => tracing::debug!(%error, "no hints of the queue in Redis for now"),
        }
        sleep(backoff.pause()).await;
    }
}

async fn subscribe(queue: &RedisQueue, channel: &str) -> Result<Wire, ConnectError> {
    let options = queue.link.client.options();
    let address = match (&options.topology, options.master().await?) {
        (_, Some(master)) => master,
        // In a Redis Cluster, what is published at one node arrives at all of them.
        (Topology::Cluster(nodes), None) => {
            let slots = options.slots(&[]).await?;
            let masters = slots.iter().flat_map(|slots| slots.masters());
            match masters.chain(nodes).next() {
                Some(node) => node.clone(),
                None => return Err(no_node()),
            }
        }
        (_, None) => return Err(no_node()),
    };
    let mut wire = options.open(&address).await?;
    timeout(options.connect_timeout, wire.call(&["SUBSCRIBE", channel]))
        .await
        .map_err(|_| ConnectError::TimedOut { address, after: options.connect_timeout })??;
    Ok(wire)
}

fn no_node() -> ConnectError {
    ConnectError::Nobody { what: "no node of Redis is known".into(), causes: Vec::new() }
}

/// Until the connection breaks.
async fn forward(wire: Wire, hints: &mpsc::Sender<Hint>) {
    let (mut incoming, mut outgoing) = wire.split();
    loop {
        let mut next = pin!(incoming.next());
        let reply = match timeout(SILENCE, &mut next).await {
            Ok(reply) => reply,
            Err(_) => {
                let ping = async {
                    outgoing.put(&[b"PING"]).await?;
                    outgoing.flush().await?;
                    next.await
                };
                let Ok(reply) = timeout(SILENCE, ping).await else { return };
                reply
            }
        };
        let Ok(reply) = reply else { return };
        let hint = match reply.elements() {
            [kind, _, partition] if kind.text() == Some("message") => hint(partition),
            _ => continue,
        };
        // With so many waiting, the worker is awake anyway.
        let _ = hints.try_send(hint);
    }
}

fn hint(partition: &Reply) -> Hint {
    match partition.text() {
        None | Some("") => Hint::Partitions,
        Some(partition) => Hint::Partition(partition.to_owned()),
    }
}

//! How the node leaves: everybody is let go, one after another.

use std::sync::Arc;
use std::time::Duration;

use protocol::close::Close;
use tokio::time::{Instant, sleep};

use crate::inbox::{Op, ShardReport, reports};
use crate::node::Node;

/// How often the departing node looks whether everybody has gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Lets everybody go: readiness fails and listening stops at once, requests in flight finish,
/// connections are closed with 4200 spread evenly over the grace period (W17). Returns when
/// everybody has gone, at the latest when the grace period is over.
pub(crate) async fn drain(node: &Arc<Node>) {
    let grace = node.config.shutdown_grace;
    let deadline = Instant::now() + grace;
    let connections = node.apps.connections();
    tracing::info!(connections, ?grace, "shutting down: closing the connections one after another");
    node.readiness.drain();
    // The last fifth is for the answers to the last close frames.
    let spread = grace.mul_f64(0.8);
    node.outside().tell_all(|| Op::Disperse { close: Close::reconnect(), over: spread });
    while Instant::now() < deadline {
        if is_empty(node, deadline).await {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    let left = node.apps.connections();
    tracing::info!(left, "stopped");
    node.outside().tell_all(|| Op::Stop);
}

async fn is_empty(node: &Node, deadline: Instant) -> bool {
    let empty = |report: &Option<ShardReport>| {
        matches!(report, Some(ShardReport { connections: 0, http_connections: 0, .. }))
    };
    let left = deadline.saturating_duration_since(Instant::now());
    reports(node.inboxes(), left).await.iter().all(empty)
}

//! What a shard holds, told by the shard itself when somebody looks: so a gauge equals the truth.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::{Inbox, Op};

/// Table sizes of one shard at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ShardReport {
    pub(crate) connections: usize,
    pub(crate) channels: usize,
    pub(crate) subscriptions: usize,
    pub(crate) timers: usize,
    /// Bytes that wait for slow sockets.
    pub(crate) pending_bytes: usize,
    /// HTTP connections, and sockets on their way to become WebSockets.
    pub(crate) http_connections: usize,
}

/// What every shard holds at this moment; none for one that has not answered in time.
pub(crate) async fn reports(inboxes: &[Inbox], patience: Duration) -> Vec<Option<ShardReport>> {
    let deadline = Instant::now() + patience;
    let ask = |inbox: &Inbox| {
        let (to, answer) = oneshot::channel();
        inbox.send(Op::Report(to));
        answer
    };
    let answers: Vec<_> = inboxes.iter().map(ask).collect();
    let mut reports = Vec::with_capacity(answers.len());
    for answer in answers {
        reports.push(timeout_at(deadline, answer).await.ok().and_then(Result::ok));
    }
    reports
}

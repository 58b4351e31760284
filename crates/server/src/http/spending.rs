//! Spending from an app's budgets, wherever they are kept: by this node, by the node that deals them
//! out, or in Redis. Whoever cannot be asked in time is not waited for.

use std::time::Duration;

use channels::rates::Spending;
use channels::{Answer, Runtime, Spend, Spent};
use config::RateLimiterDriver;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::apps::App;
use crate::limits::Unanswered;
use crate::node::Node;

/// How long the dealing node may take. If it does not answer, a node goes on with its share.
const DEALER_TIMEOUT: Duration = Duration::from_millis(100);

/// Spends from an app's budget of `rate` per second.
///
/// # Errors
/// How long to wait until there is enough.
pub(super) async fn spend(
    node: &Node,
    app: &App,
    on: Spending,
    count: u32,
    rate: u32,
) -> Result<(), Duration> {
    let (budget, spend) = (app.budget(on), Spend { app: &app.id, on, count, rate });
    if let Some(redis) = &node.redis_rates {
        let taken = redis.take(&format!("{}:{}", app.id, on.name()), count, rate).await;
        return taken.unwrap_or_else(|Unanswered| node.channels.spend_share(budget, spend));
    }
    if node.config.rate_limiter.driver != RateLimiterDriver::Cluster {
        return budget.whole.take(node.outside().now().as_nanos() as u64, count, rate);
    }
    let mut waiting = None;
    let reply = || {
        let (reply, answer) = oneshot::channel();
        waiting = Some(answer);
        reply
    };
    let number = match node.channels.spend(budget, spend, reply) {
        Spent::Yes => return Ok(()),
        Spent::No(wait) => return Err(wait),
        Spent::Asked(number) => number,
    };
    let answer = match waiting {
        Some(answer) => timeout(DEALER_TIMEOUT, answer).await,
        None => return node.channels.spend_answer(budget, spend, number, None),
    };
    let answer = match answer {
        Ok(Ok(Answer::Rate(answer))) => Some(answer),
        _ => None,
    };
    node.channels.spend_answer(budget, spend, number, answer)
}

//! Budgets per second that hold over all nodes. With `rateLimiter.driver` = `cluster` one node deals
//! an app's budget out, the same one that deals out its connections; the others ask it for a little
//! more than they need, so that most requests ask nobody. With `redis` Redis is asked each time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use channels::registry::NodeId;
use channels::replication::{Message, RateAnswer, RateWish};
use config::RateLimiterDriver;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Peers;
use crate::apps::App;
use crate::limits::{Budget, Spending, Unanswered};
use crate::node::Node;

/// How long the dealing node may take. If it does not answer, a node goes on with its share.
const PATIENCE: Duration = Duration::from_millis(100);
/// What is asked for in advance: what the rate gives in this part of a second.
const ADVANCE: u32 = 50;

/// Questions that wait for their answers. Owned by the node.
#[derive(Default)]
pub(super) struct Rates {
    asked: Mutex<HashMap<u64, oneshot::Sender<RateAnswer>>>,
    tickets: AtomicU64,
}

impl Node {
    /// Spends from an app's budget of `rate` per second; or says how long to wait.
    pub(crate) async fn spend(
        &self,
        app: &App,
        on: Spending,
        count: u32,
        rate: u32,
    ) -> Result<(), Duration> {
        let (budget, now) = (app.budget(on), self.nanos());
        if let Some(redis) = &self.redis_rates {
            let key = format!("{}:{}", app.id, on.name());
            let taken = redis.take(&key, count, rate).await;
            return taken.unwrap_or_else(|Unanswered| self.spend_share(budget, now, (count, rate)));
        }
        let is_ours = self.config.rate_limiter.driver != RateLimiterDriver::Cluster
            || self.peers.outlets.is_alone();
        if is_ours {
            return budget.whole.take(now, count, rate);
        }
        if budget.take_advance(now, count) {
            return Ok(());
        }
        let most = count.max(rate / ADVANCE);
        let wish = RateWish { ticket: 0, reads: on == Spending::Reads, least: count, most };
        match self.peers.ask_for_rate(&app.id, wish).await {
            // It is our own to deal out.
            None => budget.whole.take(now, count, rate),
            Some(Ok(RateAnswer { granted, .. })) if granted >= count => {
                budget.put_advance(now, granted - count);
                Ok(())
            }
            Some(Ok(RateAnswer { wait_ms, .. })) => Err(Duration::from_millis(wait_ms)),
            Some(Err(Unanswered)) => self.spend_share(budget, now, (count, rate)),
        }
    }

    /// Spends from this node's share of the rate, while nobody can be asked.
    fn spend_share(
        &self,
        budget: &Budget,
        now: u64,
        (count, rate): (u32, u32),
    ) -> Result<(), Duration> {
        let nodes = self.peers.ready() as u32 + 1;
        budget.whole.take(now, count, (rate / nodes).max(1.min(rate)))
    }

    /// Another node wishes for a part of a budget that we deal out.
    pub(super) fn grant_rate(&self, app: &App, wish: &RateWish) -> RateAnswer {
        let on = if wish.reads { Spending::Reads } else { Spending::Events };
        let budget = app.budget(on);
        let Some(rate) = app.rate(on) else {
            return RateAnswer { ticket: wish.ticket, granted: wish.most, wait_ms: 0 };
        };
        let (granted, wait) = match budget.take_between(self.nanos(), (wish.least, wish.most), rate)
        {
            Ok(granted) => (granted, Duration::ZERO),
            Err(wait) => (0, wait),
        };
        RateAnswer { ticket: wish.ticket, granted, wait_ms: wait.as_millis() as u64 }
    }
}

impl Peers {
    /// Asks the node that deals out an app's budget; none if that is this one.
    async fn ask_for_rate(
        &self,
        app: &str,
        wish: RateWish,
    ) -> Option<Result<RateAnswer, Unanswered>> {
        let dealer = self.quotas.owner(app)?;
        let (to, answer) = oneshot::channel();
        let ticket = self.rates.tickets.fetch_add(1, Relaxed);
        self.rates.asked.lock().insert(ticket, to);
        let message = Message::RateWish(app, RateWish { ticket, ..wish });
        if self.outlets.tell_one(dealer, message.encode()) {
            self.wake();
        }
        let answered = timeout(PATIENCE, answer).await;
        self.rates.asked.lock().remove(&ticket);
        Some(answered.ok().and_then(Result::ok).ok_or(Unanswered))
    }

    /// The dealing node has answered.
    pub(super) fn hear_rate(&self, answer: RateAnswer) {
        let waiting = self.rates.asked.lock().remove(&answer.ticket);
        if let Some(to) = waiting {
            // Whoever has lost patience goes on without it.
            let _ = to.send(answer);
        }
    }

    /// Answers another node.
    pub(super) fn answer_rate(&self, to: NodeId, answer: RateAnswer) {
        if self.outlets.tell_one(to, Message::RateAnswer(answer).encode()) {
            self.wake();
        }
    }
}

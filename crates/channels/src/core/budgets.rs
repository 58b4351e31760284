//! Budgets per second that hold over all nodes: one node deals an app's budget out, the same one that
//! deals out its slots; the others ask it for a little more than they need, so that most requests
//! ask nobody.

use std::collections::HashMap;
use std::time::Duration;

use cluster::Now;
use parking_lot::Mutex;

use super::Channels;
use crate::rates::{Budget, Spending};
use crate::registry::NodeId;
use crate::replication::{PeerMessage, RateAnswer, RateWish};
use crate::runtime::{Answer, Runtime};

/// What is asked for in advance: what the rate gives in this part of a second.
const ADVANCE: u32 = 50;

/// What is to be spent.
#[derive(Clone, Copy, Debug)]
pub struct Spend<'a> {
    /// The app's id.
    pub app: &'a str,
    /// On what.
    pub on: Spending,
    /// How much.
    pub count: u32,
    /// How much the app may spend per second, over all nodes.
    pub rate: u32,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It is spent.
    Yes,
    /// There is not enough; there will be after this time.
    No(Duration),
    /// The node that deals the budget out has been asked: the answer comes by [`Runtime::reply`],
    /// and goes into [`Channels::spend_answer`], as does that there was none in time.
    Asked(u64),
}

struct PendingSpends<Reply> {
    waiting: HashMap<u64, Reply>,
    numbers: u64,
}

/// Requests that wait for their answers. Owned by the node.
pub(super) struct Budgets<Reply>(Mutex<PendingSpends<Reply>>);

impl<Reply> Default for Budgets<Reply> {
    fn default() -> Self {
        Budgets(Mutex::new(PendingSpends { waiting: HashMap::new(), numbers: 0 }))
    }
}

impl<R: Runtime> Channels<R> {
    /// Spends from an app's budget, which is dealt out over all nodes.
    pub fn spend(
        &self,
        budget: &Budget,
        spend: Spend<'_>,
        reply: impl FnOnce() -> R::Reply,
    ) -> Spent {
        let Spend { app, on, count, rate } = spend;
        let now = nanos(self.runtime.now());
        if self.streams.is_alone() {
            return spent(budget.whole.take(now, count, rate));
        }
        if budget.take_advance(now, count) {
            return Spent::Yes;
        }
        let Some(dealer) = self.quotas.owner(app) else {
            // It is our own to deal out.
            return spent(budget.whole.take(now, count, rate));
        };
        let number = {
            let mut state = self.budgets.0.lock();
            state.numbers += 1;
            let number = state.numbers;
            state.waiting.insert(number, reply());
            number
        };
        let most = count.max(rate / ADVANCE);
        let reads = on == Spending::Reads;
        let wish = RateWish { request: number, reads, least: count, most };
        self.wake_links(self.streams.send_to(dealer, PeerMessage::RateWish(app, wish).encode()));
        Spent::Asked(number)
    }

    /// The dealing node's answer to [`spend`](Self::spend) is here, or none came in time: then the
    /// budget is this node's share of the rate. `number` is what was asked.
    ///
    /// # Errors
    /// How long to wait until there is enough.
    pub fn spend_answer(
        &self,
        budget: &Budget,
        spend: Spend<'_>,
        number: u64,
        answer: Option<RateAnswer>,
    ) -> Result<(), Duration> {
        self.budgets.0.lock().waiting.remove(&number);
        match answer {
            Some(RateAnswer { granted, .. }) if granted >= spend.count => {
                budget.put_advance(nanos(self.runtime.now()), granted - spend.count);
                Ok(())
            }
            Some(RateAnswer { wait_ms, .. }) => Err(Duration::from_millis(wait_ms)),
            None => self.spend_share(budget, spend),
        }
    }

    /// Spends from this node's share of the rate, while nobody can be asked.
    ///
    /// # Errors
    /// How long to wait until there is enough.
    pub fn spend_share(&self, budget: &Budget, spend: Spend<'_>) -> Result<(), Duration> {
        let nodes = self.ready_peers() as u32 + 1;
        let share = (spend.rate / nodes).max(1.min(spend.rate));
        budget.whole.take(nanos(self.runtime.now()), spend.count, share)
    }

    /// Another node wants a part of a budget that we deal out.
    pub(super) fn grant_rate(&self, to: NodeId, app: &str, wish: &RateWish) {
        let on = if wish.reads { Spending::Reads } else { Spending::Events };
        let now = nanos(self.runtime.now());
        let request = wish.request;
        let answer = self.runtime.budget(app, on, |budget, rate| {
            let Some(rate) = rate else {
                return RateAnswer { request, granted: wish.most, wait_ms: 0 };
            };
            match budget.take_between(now, (wish.least, wish.most), rate) {
                Ok(granted) => RateAnswer { request, granted, wait_ms: 0 },
                Err(wait) => RateAnswer { request, granted: 0, wait_ms: wait.as_millis() as u64 },
            }
        });
        let send = |answer| self.streams.send_to(to, PeerMessage::RateAnswer(answer).encode());
        self.wake_links(answer.is_some_and(send));
    }

    /// The dealing node has answered. Whoever does not wait any longer goes on without it.
    pub(super) fn hear_rate(&self, answer: RateAnswer) {
        let waiting = self.budgets.0.lock().waiting.remove(&answer.request);
        if let Some(reply) = waiting {
            self.runtime.reply(reply, Answer::Rate(answer));
        }
    }
}

/// A time as budgets count it.
fn nanos(now: Now) -> u64 {
    now.as_nanos() as u64
}

fn spent(taken: Result<(), Duration>) -> Spent {
    taken.map_or_else(Spent::No, |()| Spent::Yes)
}

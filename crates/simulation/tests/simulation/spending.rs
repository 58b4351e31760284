//! What backends may publish per second, over all nodes.

use channels::rates::Spending;
use channels::replication::RateAnswer;
use channels::{Spend, Spent};
use cluster::Now;

use crate::Channel;
use crate::ledger::Ledger;
use crate::load::Names;
use crate::node::Node;
use crate::speaking::SETTLES;
use simulation::{APP, RATE, RequestNumber};

/// How long a request waits for the node that deals the budget out.
const BUDGET_TIMEOUT: Now = Now::from_millis(1000);
const SPEND: Spend<'_> = Spend { app: APP, on: Spending::Events, count: 1, rate: RATE };

/// A request that waits for a budget.
pub(crate) struct Spender {
    request: RequestNumber,
    number: u64,
    channel: Channel,
    until: Now,
}

/// What was spent since the nodes have agreed on each other.
#[derive(Default)]
pub(crate) struct Spendings {
    since: Now,
    count: u32,
    /// Somebody was not answered in time, and spent its share.
    pub(crate) is_shared: bool,
}

impl Spendings {
    /// One event more; `unsettled`: when nodes disagreed last.
    fn add(&mut self, now: Now, unsettled: Now) {
        // What another node dealt out before that is spent by then.
        let since = unsettled + SETTLES + BUDGET_TIMEOUT;
        if since != self.since {
            *self = Spendings { since, count: 0, is_shared: self.is_shared };
        }
        if now < since {
            return;
        }
        self.count += 1;
        let seconds = (now - since).as_secs_f64();
        // A second's worth may be used at once, and as much was perhaps dealt out just before.
        let most = f64::from(RATE) * (2.0 + seconds);
        let is_too_much = f64::from(self.count) > most;
        assert!(self.is_shared || !is_too_much, "{} events in {seconds} s", self.count);
    }
}

impl Node {
    /// A backend publishes an event, if it may.
    pub(crate) fn publish_within_rate(
        &mut self,
        now: Now,
        names: &Names,
        channel: &Channel,
        ledger: &mut Ledger,
    ) {
        let request = self.next_request();
        let budget = self.channels.runtime().event_budget();
        match self.channels.spend(budget, SPEND, || request) {
            Spent::Yes => self.publish_spent(now, names, channel, ledger),
            Spent::No(_) => ledger.summary.over_rate += 1,
            Spent::Asked(number) => {
                let (channel, until) = (channel.clone(), now + BUDGET_TIMEOUT);
                self.spenders.push(Spender { request, number, channel, until });
            }
        }
        self.settle(now, names, ledger);
    }

    fn publish_spent(&mut self, now: Now, names: &Names, channel: &Channel, ledger: &mut Ledger) {
        if ledger.strict {
            let unsettled = ledger.statements.unsettled();
            ledger.spendings.add(now, unsettled);
        }
        ledger.summary.spent += 1;
        self.publish(now, names, channel, None, ledger);
    }

    pub(crate) fn hear_rate(
        &mut self,
        now: Now,
        names: &Names,
        request: RequestNumber,
        answer: RateAnswer,
        ledger: &mut Ledger,
    ) {
        let is_it = |one: &Spender| one.request == request;
        let at = self.spenders.iter().position(is_it).expect("somebody waits for it");
        let spender = self.spenders.remove(at);
        ledger.summary.dealt += 1;
        self.go_on(now, names, spender, Some(answer), ledger);
    }

    /// Those who have waited for too long spend this node's share.
    pub(crate) fn spend_shares(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        let late: Vec<_> = self.spenders.extract_if(.., |one| one.until <= now).collect();
        for spender in late {
            ledger.spendings.is_shared = true;
            self.go_on(now, names, spender, None, ledger);
        }
    }

    fn go_on(
        &mut self,
        now: Now,
        names: &Names,
        spender: Spender,
        answer: Option<RateAnswer>,
        ledger: &mut Ledger,
    ) {
        let Spender { number, channel, .. } = spender;
        let budget = self.channels.runtime().event_budget();
        match self.channels.spend_answer(budget, SPEND, number, answer) {
            Ok(()) => self.publish_spent(now, names, &channel, ledger),
            Err(_) => ledger.summary.over_rate += 1,
        }
    }
}

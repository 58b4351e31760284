//! What each scenario measures, and on which nodes.

use super::broker_traffic::{crossings, messages_per_subscribe};
use super::{ALONE, Scenario};
use crate::comparison::setup::Adapter::{self, Cluster, Local, Nats, Redis};
use crate::comparison::{Measure, Measurement, under};
use crate::workload::Workload;
use crate::workload::broadcast::{Pace, Plan};
use crate::workload::channels::ChannelChoice;
use crate::workload::churn::Churn;
use crate::workload::fanout::Fanout;
use crate::workload::timing::{Timing, seconds};
use std::time::Duration;

/// How much each scenario does. All of it is short: what is compared is compared within a round.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(super) struct Size {
    /// Seconds that are measured in each run but those of connects
    #[arg(long, default_value = "1.5", value_parser = seconds)]
    pub(super) seconds: Duration,
    /// Cycles of connect, subscribe, close
    #[arg(long, default_value_t = 12_000)]
    pub(super) cycles: usize,
    /// Of them at a time
    #[arg(long, default_value_t = 256)]
    pub(super) at_a_time: usize,
    /// Events per second, for the latency
    #[arg(long, default_value_t = 500.0)]
    pub(super) rate: f64,
    /// Private channels
    #[arg(long, default_value_t = 4000)]
    pub(super) channels: usize,
    /// Subscribers of one channel
    #[arg(long, default_value_t = 1000)]
    pub(super) subscribers: usize,
    /// Publishers to one channel, each on a connection of its own
    #[arg(long, default_value_t = 8)]
    pub(super) publishers: usize,
    /// Publishers to private channels, for each node: what each has to do is the same on all setups
    #[arg(long, default_value_t = 16)]
    pub(super) publishers_per_node: usize,
}

/// Event data so large that whatever else crosses does not count.
const LARGE: usize = 8_000;

/// Cycles of connect, subscribe, close at a time, where they are few.
pub(super) const FEW: usize = 32;

/// Publishers to private channels for each node, where they are few: nodes wait for them at times.
pub(super) const FEW_PUBLISHERS: usize = 4;

/// The share of events for another node: what chance makes of it with four nodes.
const ELSEWHERE: f64 = 0.75;

/// How a scenario is measured, and where its figures go.
pub(super) fn of(scenario: Scenario, size: &Size) -> Measurement<'_, Scenario> {
    let timing = Timing { measured: size.seconds, warmup: size.seconds / 4 };
    let with_alone = |nodes| {
        let joined = Adapter::JOINING.map(|adapter| adapter.nodes(nodes));
        [&[ALONE][..], &joined].concat()
    };
    // With more threads than cores, what is seen is how the system deals them out.
    let one_thread = vec![Cluster.one_thread_nodes(2), Cluster.one_thread_nodes(4)];
    let churn = |concurrency, occupied: bool| Churn {
        concurrency,
        cycles: size.cycles,
        warmup_cycles: size.cycles / 10,
        fresh: !occupied,
        occupied,
        ..Churn::default()
    };
    let private = |publishers_per_node, payload, elsewhere| -> Measure<'_> {
        Box::new(move |on| {
            let channels = ChannelChoice {
                channels: size.channels,
                connections: size.channels,
                publishers: publishers_per_node * on.target.len(),
                private: true,
                payload,
                elsewhere,
                timing,
            };
            channels.run(&on.target, &on.server)
        })
    };
    let many = size.publishers_per_node;
    let new = |title, setups, measure| Measurement { scenario, title, setups, measure };
    match scenario {
        Scenario::Occupied => new(
            "Connect, subscribe, close: occupied channels",
            with_alone(2),
            messages_per_subscribe(under(churn(size.at_a_time, true))),
        ),
        Scenario::Fresh => new(
            "Connect, subscribe, close: fresh channels",
            with_alone(2),
            messages_per_subscribe(under(churn(size.at_a_time, false))),
        ),
        Scenario::Few => new(
            "Connect, subscribe, close: fresh channels, few at a time",
            with_alone(2),
            messages_per_subscribe(under(churn(FEW, false))),
        ),
        Scenario::Latency => {
            let plan = Plan {
                name: "latency",
                subscribers: 1,
                publishers: 4,
                pace: Pace::Rate(size.rate),
                payload: 128,
                timing,
            };
            new(
                "From one node to another at a fixed rate",
                with_alone(2),
                Box::new(move |on| plan.run(&on.target.apart(), &on.server)),
            )
        }
        Scenario::Interest => new(
            "Private channels with one subscriber each",
            [vec![Local.one_thread_nodes(1)], one_thread].concat(),
            private(many, 128, None),
        ),
        Scenario::Sparse => {
            new("The same, few events in flight", one_thread, private(FEW_PUBLISHERS, 128, None))
        }
        Scenario::Here => new(
            "Private channels, no event for another node",
            one_thread,
            private(many, 128, Some(0.0)),
        ),
        Scenario::Elsewhere => new(
            "Private channels, 3/4 of the events for another node",
            one_thread,
            private(many, 128, Some(ELSEWHERE)),
        ),
        // What crosses is counted where a broker sees it; which nodes an event is sent to is
        // decided before any adapter has to do with it.
        Scenario::Crossing => new(
            "Large events to one subscriber each",
            vec![Redis.nodes(4), Nats.nodes(4)],
            crossings(private(many, LARGE, None), LARGE),
        ),
        Scenario::Fanout => {
            let fanout = Fanout {
                subscribers: size.subscribers,
                publishers: size.publishers,
                in_flight: size.publishers,
                no_pipelining: false,
                rate: None,
                payload: 128,
                timing,
            };
            new("One channel, subscribers on every node", with_alone(3), under(fanout))
        }
    }
}

//! One measurement: which scenario is run on the nodes of a setup, and how much of it.

use super::nodes::Nodes;
use super::setup::Scenario;
use crate::meter::Meter;
use crate::report::Report;
use crate::scenario::broadcast::{self, Pace, Plan};
use crate::scenario::fanout::seconds;
use crate::scenario::{channels, churn, fanout};
use anyhow::Result;
use std::thread;
use std::time::Duration;

/// How much each scenario does. All of it is short: what is compared is compared within a round.
#[derive(clap::Args, Clone)]
pub(crate) struct Size {
    /// Seconds that are measured in each run but those of connects
    #[arg(long, default_value_t = 1.5)]
    pub(crate) seconds: f64,
    /// Cycles of connect, subscribe, close
    #[arg(long, default_value_t = 12_000)]
    pub(crate) cycles: usize,
    /// Of them at a time
    #[arg(long, default_value_t = 256)]
    pub(crate) at_a_time: usize,
    /// Events per second, for the latency
    #[arg(long, default_value_t = 500.0)]
    pub(crate) rate: f64,
    /// Private channels
    #[arg(long, default_value_t = 4000)]
    pub(crate) channels: usize,
    /// Subscribers of one channel
    #[arg(long, default_value_t = 1000)]
    pub(crate) subscribers: usize,
    /// Publishers to one channel, each on a connection of its own
    #[arg(long, default_value_t = 8)]
    pub(crate) publishers: usize,
    /// Publishers to private channels, for each node: what each has to do is the same on all setups
    #[arg(long, default_value_t = 16)]
    pub(crate) publishers_per_node: usize,
}

/// Event data so large that whatever else crosses does not count.
const LARGE: usize = 8_000;

/// Cycles of connect, subscribe, close at a time, where they are few.
pub(super) const FEW: usize = 32;

/// Publishers to private channels for each node, where they are few: nodes wait for them at times.
pub(super) const FEW_PUBLISHERS: usize = 4;

/// The share of events for another node: what chance makes of it with four nodes.
const ELSEWHERE: f64 = 0.75;

/// Runs `scenario` on `nodes`.
pub(super) fn measure(size: &Size, scenario: Scenario, nodes: &Nodes) -> Result<Report> {
    let (target, server) = (nodes.target()?, &nodes.server);
    let warmup = size.seconds / 4.0;
    let connects = |fresh, at_a_time| churn::Shape {
        concurrency: at_a_time,
        cycles: size.cycles,
        seconds: None,
        warmup_cycles: size.cycles / 10,
        publish: false,
        fresh,
        occupied: !fresh,
        abrupt: false,
    };
    let private = |payload, elsewhere| channels::Shape {
        channels: size.channels,
        connections: size.channels,
        publishers: target.len()
            * match scenario {
                Scenario::Sparse => FEW_PUBLISHERS,
                _ => size.publishers_per_node,
            },
        private: true,
        payload,
        elsewhere,
        seconds: size.seconds,
        warmup,
    };
    match scenario {
        Scenario::Occupied | Scenario::Fresh | Scenario::Few => {
            let quiet = quiet(nodes)?;
            let at_a_time = if scenario == Scenario::Few { FEW } else { size.at_a_time };
            let shape = connects(scenario != Scenario::Occupied, at_a_time);
            let mut report = churn::run(&target, server, &shape)?;
            per(&mut report, "broker_messages", quiet, ("cycles", 1.0), "messages_per_subscribe");
            Ok(report)
        }
        Scenario::Latency => {
            let plan = Plan {
                scenario: "latency",
                subscribers: 1,
                lanes: 4,
                pace: Pace::Rate(size.rate),
                payload: 128,
                warmup: seconds(warmup)?,
                duration: seconds(size.seconds)?,
            };
            broadcast::run(&target.apart(), server, &plan)
        }
        Scenario::Interest | Scenario::Sparse => {
            channels::run(&target, server, &private(128, None))
        }
        Scenario::Here => channels::run(&target, server, &private(128, Some(0.0))),
        Scenario::Elsewhere => channels::run(&target, server, &private(128, Some(ELSEWHERE))),
        Scenario::Crossing => {
            let mut report = channels::run(&target, server, &private(LARGE, None))?;
            let measured = report.get("publishes_per_s").zip(report.get("measured_s"));
            report.figure("published", measured.map_or(f64::NAN, |(rate, time)| rate * time), "");
            // Channels are random, so all but one in so many events go to another node.
            let elsewhere = 1.0 - 1.0 / target.len() as f64;
            let size = LARGE as f64 * elsewhere;
            per(&mut report, "broker_bytes", 0.0, ("published", size), "crossings");
            Ok(report)
        }
        Scenario::Fanout => {
            let shape = fanout::Shape {
                subscribers: size.subscribers,
                publishers: size.publishers,
                in_flight: size.publishers,
                no_pipelining: false,
                rate: None,
                payload: 128,
                seconds: size.seconds,
                warmup,
            };
            fanout::run(&target, server, &shape)
        }
    }
}

/// Messages per second that the nodes hand to a broker while nothing happens: heartbeats.
fn quiet(nodes: &Nodes) -> Result<f64> {
    let mut report = Report::new("quiet");
    let meter = Meter::start(&nodes.server)?;
    thread::sleep(Duration::from_secs(1));
    meter.stop(&nodes.server)?.shares(&mut report);
    let rate = report.get("broker_messages").zip(report.get("measured_s"));
    Ok(rate.map_or(0.0, |(messages, time)| messages / time))
}

/// Adds `name`: the figure called `of` for each of `count`, what comes by itself (so much a second)
/// left aside, in units of `size`.
fn per(report: &mut Report, of: &str, by_itself: f64, (count, size): (&str, f64), name: &str) {
    let all = [of, "measured_s", count].map(|name| report.get(name));
    if let [Some(value), Some(time), Some(count)] = all {
        let caused = (value - by_itself * time).max(0.0);
        report.figure(name, caused / count / size, "");
    }
}

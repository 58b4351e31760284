//! What each scenario measures, and on whom.

use super::{CompareOptions, Scenario};
use crate::comparison::running::Running;
use crate::comparison::setup::Setup::{CoalescingFloor, Floor, Server};
use crate::comparison::{Measurement, under};
use crate::report::Report;
use crate::server::target::TargetApp;
use crate::workload::channels::ChannelChoice;
use crate::workload::churn::Churn;
use crate::workload::fanout::Fanout;
use crate::workload::idle::Idle;
use crate::workload::publish::Publish;
use crate::workload::timing::{Timing, seconds};
use anyhow::Result;
use std::time::Duration;

/// How much each scenario does.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(super) struct Size {
    /// Seconds that are measured in each run of fanout, publish and channels
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub(super) seconds: Duration,
    /// Subscribers in fanout
    #[arg(long, default_value_t = 1000)]
    pub(super) subscribers: usize,
    /// Publishers in fanout, connections in publish
    #[arg(long, default_value_t = 8)]
    pub(super) publishers: usize,
    /// Events in flight in fanout, over all publishers
    #[arg(long, default_value_t = 8)]
    pub(super) in_flight: usize,
    /// Events per second in the open loop
    #[arg(long, default_value_t = 20.0)]
    pub(super) rate: f64,
    /// Cycles in churn
    #[arg(long, default_value_t = 20_000)]
    pub(super) cycles: usize,
    /// Connections in idle
    #[arg(long, default_value_t = 15_000)]
    pub(super) idle_connections: usize,
    /// Seconds in idle
    #[arg(long, default_value = "20", value_parser = seconds)]
    pub(super) idle_seconds: Duration,
    /// Channels in channels
    #[arg(long, default_value_t = 100_000)]
    pub(super) channels: usize,
    /// Connections that hold them
    #[arg(long, default_value_t = 1000)]
    pub(super) channel_connections: usize,
    /// Starts per round
    #[arg(long, default_value_t = 5)]
    pub(super) starts: usize,
    #[command(flatten)]
    pub(super) app: TargetApp,
}

/// How a scenario is measured, and where its figures go.
pub(super) fn of(scenario: Scenario, options: &CompareOptions) -> Measurement<'_, Scenario> {
    let size = &options.size;
    let warmup = (size.seconds / 4).min(Duration::from_secs(1));
    let timing = Timing { measured: size.seconds, warmup };
    let publishers = size.publishers;
    let fanout = |rate| Fanout {
        subscribers: size.subscribers,
        publishers,
        in_flight: size.in_flight,
        no_pipelining: false,
        rate,
        payload: 128,
        timing,
    };
    // The coalescing floor only where it makes a difference.
    let (both, one) = (vec![Floor, CoalescingFloor, Server], vec![Floor, Server]);
    let new = |title, setups, measure| Measurement { scenario, title, setups, measure };
    match scenario {
        Scenario::Fanout => new("Fan-out, closed loop", both, under(fanout(None))),
        Scenario::Steady => new("Fan-out, open loop", both, under(fanout(Some(size.rate)))),
        Scenario::Publish => {
            let publish = Publish { connections: publishers, timing };
            new("HTTP publish to one subscriber", both, under(publish))
        }
        Scenario::Churn => {
            let churn = Churn {
                concurrency: 32,
                cycles: size.cycles,
                warmup_cycles: size.cycles / 10,
                ..Churn::default()
            };
            new("Connect, subscribe, close", one, under(churn))
        }
        Scenario::Idle => {
            let idle = Idle {
                connections: size.idle_connections,
                channels: 100,
                seconds: size.idle_seconds,
                ping_every: Duration::ZERO,
            };
            new("Idle connections", one, under(idle))
        }
        Scenario::Channels => {
            let channels = ChannelChoice {
                channels: size.channels,
                connections: size.channel_connections,
                publishers,
                private: false,
                payload: 128,
                elsewhere: None,
                timing,
            };
            new("Many channels", one, under(channels))
        }
        Scenario::Start => new("Start to ready", one, Box::new(|first| starts(options, first))),
    }
}

/// `first` and as many more starts as asked for, one after the other.
fn starts(options: &CompareOptions, first: &Running) -> Result<Report> {
    let millis = |one: &Running| one.server.ready_after.as_secs_f64() * 1e3;
    let mut all = vec![millis(first)];
    for _ in 1..options.size.starts {
        let command = &options.comparison.server;
        all.push(millis(&Running::start(first.setup, command, &options.size.app)?));
    }
    all.sort_by(f64::total_cmp);
    let mut report = Report::new("start");
    report.count("starts", all.len());
    report.figure("ready_ms", all[all.len() / 2], "ms");
    report.figure("ready_max_ms", all[all.len() - 1], "ms");
    Ok(report)
}

//! `load cluster`: several nodes over each adapter and one node on its own under the same workloads,
//! and the bars that the nodes are held to. How they are started, measured in turn and shown is
//! `comparison`'s.

mod bars;
mod broker_traffic;
mod introduction;
mod measurements;

use crate::comparison::setup::{Adapter, Nodes, Setup};
use crate::comparison::{self, Comparison};
use crate::server::target::TargetApp;
use anyhow::Result;
use clap::ValueEnum;

/// The node on its own, which the others are compared with.
const ALONE: Setup = Adapter::Local.nodes(1);

/// Options of `load cluster`.
#[derive(clap::Args, Clone)]
pub(crate) struct ClusterOptions {
    #[command(flatten)]
    comparison: comparison::ComparisonOptions,
    /// Only these scenarios, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Scenario>,
    /// Only these adapters besides the node on its own, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_enum)]
    adapters: Vec<Adapter>,
    #[command(flatten)]
    size: measurements::Size,
}

/// What is measured, in the order in which a round measures it.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq)]
enum Scenario {
    /// Connect, subscribe, close; the channels are occupied on every node
    Occupied,
    /// The same, each cycle with a channel of its own
    Fresh,
    /// The same, with few at a time
    Few,
    /// Published on one node, received on another
    Latency,
    /// Many private channels with one subscriber each
    Interest,
    /// The same, with few publishers
    Sparse,
    /// The same as with many, no event for a subscriber on another node
    Here,
    /// The same, three quarters of the events for a subscriber on another node
    Elsewhere,
    /// The same with large events, to count how often one crosses
    Crossing,
    /// One channel with subscribers on every node
    Fanout,
}

/// Compares, and writes scaling-figures.md and scaling-figures.json. Errors: a measurement failed.
pub(crate) fn run(options: &ClusterOptions) -> Result<()> {
    let app = TargetApp {
        id: "app-id".to_owned(),
        key: "app-key".to_owned(),
        secret: "load-secret".to_owned(),
    };
    let wanted = |scenario: &&Scenario| options.only.is_empty() || options.only.contains(scenario);
    let scenarios = Scenario::value_variants().iter().filter(wanted);
    let measurement = |scenario: &Scenario| {
        let mut measurement = measurements::of(*scenario, &options.size);
        measurement.setups.retain(|setup| options.wants(*setup));
        measurement
    };
    Comparison {
        options: &options.comparison,
        app: &app,
        file: "scaling-figures",
        introduction: introduction::write(options),
        measurements: scenarios.map(measurement).collect(),
        bars: bars::all(),
        keeps_running: true,
        plot: false,
    }
    .run()
}

impl ClusterOptions {
    fn wants(&self, setup: Setup) -> bool {
        let Setup::Nodes(Nodes { adapter, .. }) = setup else { return true };
        adapter == Adapter::Local || self.adapters.is_empty() || self.adapters.contains(&adapter)
    }
}

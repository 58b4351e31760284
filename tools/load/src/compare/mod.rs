//! `load compare`: a server and the two floors under every workload, and the bars that the server
//! is held to. How they are measured in turn and shown is `comparison`'s.

mod bars;
mod introduction;
mod measurements;

use crate::comparison::{self, Comparison};
use anyhow::Result;
use clap::ValueEnum;

/// Options of `load compare`.
#[derive(clap::Args, Clone)]
pub(crate) struct CompareOptions {
    #[command(flatten)]
    comparison: comparison::ComparisonOptions,
    /// Only these scenarios, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Scenario>,
    #[command(flatten)]
    size: measurements::Size,
}

/// What is measured, in the order in which a round measures it.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq)]
enum Scenario {
    /// Closed-loop fan-out
    Fanout,
    /// Fan-out at a fixed rate
    Steady,
    /// HTTP publish
    Publish,
    /// Connect, subscribe, close
    Churn,
    /// Idle connections
    Idle,
    /// Many channels
    Channels,
    /// From start to ready
    Start,
}

/// Compares, and writes benchmarks.md, benchmarks.svg and benchmarks.json. Errors: a measurement
/// failed.
pub(crate) fn run(options: &CompareOptions) -> Result<()> {
    let only = &options.only;
    let wanted = |scenario: &&Scenario| only.is_empty() || only.contains(scenario);
    let scenarios = Scenario::value_variants().iter().filter(wanted);
    Comparison {
        options: &options.comparison,
        app: &options.size.app,
        file: "benchmarks",
        introduction: introduction::write(options),
        measurements: scenarios.map(|one| measurements::of(*one, options)).collect(),
        bars: bars::all(),
        keeps_running: false,
        plot: true,
    }
    .run()
}

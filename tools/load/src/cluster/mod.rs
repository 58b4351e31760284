//! `load cluster`: several nodes over each adapter against one node on its own, in turn, over
//! several rounds, and the page that says how they compare. It starts nodes and brokers itself, on
//! private ports of loopback.

mod bars;
mod broker;
mod nodes;
mod page;
mod setup;
mod suite;

use crate::rounds::Rounds;
use anyhow::{Context, Result, bail};
use nodes::Nodes;
use setup::{Adapter, Scenario, Setup};
use std::fs;
use std::path::PathBuf;

type Results = Rounds<Scenario, Setup>;

/// Options of `load cluster`.
#[derive(clap::Args, Clone)]
pub(crate) struct Options {
    /// Shell command that starts a node; PORT and everything about its adapter is in its environment
    #[arg(long)]
    pub(crate) server: String,
    /// What the page calls it
    #[arg(long, default_value = "dunlin")]
    pub(crate) name: String,
    /// Folder for scaling-figures.md and scaling-figures.json
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Rounds; each figure is a median over them
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Only these scenarios, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_enum)]
    pub(crate) only: Vec<Scenario>,
    /// Only these adapters besides the node on its own, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_enum)]
    pub(crate) adapters: Vec<Adapter>,
    #[command(flatten)]
    pub(crate) size: suite::Size,
    /// Print all reports as JSON instead of the page
    #[arg(long)]
    pub(crate) json: bool,
}

impl Options {
    fn scenarios(&self) -> Vec<Scenario> {
        let wanted = |scenario: &Scenario| self.only.is_empty() || self.only.contains(scenario);
        Scenario::ALL.into_iter().filter(wanted).collect()
    }

    fn contenders(&self, scenario: Scenario) -> Vec<Setup> {
        let wanted = |setup: &Setup| {
            setup.adapter == Adapter::Local
                || self.adapters.is_empty()
                || self.adapters.contains(&setup.adapter)
        };
        scenario.contenders().into_iter().filter(wanted).collect()
    }
}

/// Runs the suite, writes the page, prints it. Errors: a scenario failed (the page is written
/// all the same, without it).
pub(crate) fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot create {}", options.out.display()))?;
    let mut results = Results::default();
    for round in 0..options.rounds {
        run_round(options, round, &mut results);
    }

    let json = results.to_json(Setup::label).to_string();
    let page = page::write(&results, options);
    for (file, text) in [("scaling-figures.md", &page), ("scaling-figures.json", &json)] {
        let path = options.out.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", if options.json { &json } else { &page });
    match results.failures() {
        [] => Ok(()),
        failures => bail!("{} runs failed:\n{}", failures.len(), failures.join("\n")),
    }
}

/// Every scenario on every contender, whose nodes run for as long as the round needs them.
fn run_round(options: &Options, round: usize, results: &mut Results) {
    let scenarios = options.scenarios();
    let mut running: Vec<(Setup, Nodes)> = Vec::new();
    for (at, scenario) in scenarios.iter().enumerate() {
        let mut contenders = options.contenders(*scenario);
        // Another one is the first in every round.
        let first = round % contenders.len().max(1);
        contenders.rotate_left(first);
        for setup in contenders {
            let label = setup.label();
            eprintln!("round {}/{}: {scenario:?}, {label}", round + 1, options.rounds);
            let report = started(options, setup, &mut running)
                .and_then(|nodes| suite::measure(&options.size, *scenario, nodes));
            match report {
                Ok(report) => results.add(round, *scenario, setup, report),
                Err(error) => {
                    results.fail(format!("{scenario:?}, {label}: {error:#}"));
                    // Whatever state they are in now, nobody else is measured on it.
                    running.retain(|(other, _)| *other != setup);
                }
            }
        }
        let later: Vec<Setup> =
            scenarios[at + 1..].iter().flat_map(|later| options.contenders(*later)).collect();
        running.retain(|(setup, _)| later.contains(setup));
    }
}

/// The nodes of `setup`, started if they do not run yet.
fn started<'a>(
    options: &Options,
    setup: Setup,
    running: &'a mut Vec<(Setup, Nodes)>,
) -> Result<&'a Nodes> {
    let at = match running.iter().position(|(other, _)| *other == setup) {
        Some(at) => at,
        None => {
            running.push((setup, Nodes::start(options, setup)?));
            running.len() - 1
        }
    };
    Ok(&running[at].1)
}

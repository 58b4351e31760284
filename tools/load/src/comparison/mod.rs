//! What `load compare` and `load cluster` have in common: measurements on several setups in turn,
//! over several rounds, bars that the figures are held to, and the page, plot and JSON that say how
//! they compare. It must not know which measurements there are: each of the two describes its own.

pub(crate) mod bars;
mod broker;
mod nodes;
mod page;
mod plot;
mod results;
mod rounds;
pub(crate) mod running;
pub(crate) mod setup;

use crate::report::Report;
use crate::server::target::TargetApp;
use crate::workload::Workload;
use anyhow::{Context, Result, bail};
use bars::Bar;
use results::Results;
use running::Running;
use setup::Setup;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

/// Options of every comparison.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct ComparisonOptions {
    /// Shell command that starts the server under test; PORT is in its environment, and with several
    /// nodes everything about their adapter
    #[arg(long)]
    pub(crate) server: String,
    /// What the page calls it
    #[arg(long, default_value = "dunlin")]
    pub(crate) name: String,
    /// Folder for the page, the figures as JSON and, if there is one, the plot
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Rounds; each figure is a median over them
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Print all reports as JSON instead of the page
    #[arg(long)]
    pub(crate) json: bool,
}

/// A comparison. `S` names its scenarios.
pub(crate) struct Comparison<'a, S> {
    pub(crate) options: &'a ComparisonOptions,
    /// The app that every server has.
    pub(crate) app: &'a TargetApp,
    /// What its files are called, without their endings.
    pub(crate) file: &'static str,
    /// The page up to its bars, in Markdown.
    pub(crate) introduction: String,
    /// In the order in which a round does them and the page shows them.
    pub(crate) measurements: Vec<Measurement<'a, S>>,
    /// In the order in which the page shows them.
    pub(crate) bars: Vec<Bar<S>>,
    /// A setup's processes run for as long as a round needs them; otherwise each measurement has
    /// fresh ones.
    pub(crate) keeps_running: bool,
    /// Whether there is a plot of the bars.
    pub(crate) plot: bool,
}

/// One scenario, measured on each of its setups in every round.
pub(crate) struct Measurement<'a, S> {
    /// Which one it is.
    pub(crate) scenario: S,
    /// The heading of its table.
    pub(crate) title: &'static str,
    /// What it is measured on, in the order of the table's columns.
    pub(crate) setups: Vec<Setup>,
    /// Measures it once.
    pub(crate) measure: Measure<'a>,
}

/// Runs a workload on the processes of a setup.
pub(crate) type Measure<'a> = Box<dyn Fn(&Running) -> Result<Report> + 'a>;

/// Measures what a setup does under `workload`.
pub(crate) fn under<'a>(workload: impl Workload + 'a) -> Measure<'a> {
    Box::new(move |on| workload.run(&on.target, &on.server))
}

impl<S: Copy + PartialEq + Debug> Comparison<'_, S> {
    /// Does all rounds, writes the files, prints the page or the JSON. Errors: a measurement failed
    /// (the files are written all the same, without it).
    pub(crate) fn run(&self) -> Result<()> {
        let ComparisonOptions { name, out, rounds, json, .. } = self.options;
        // Found out before an hour of measuring, not after.
        fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        let mut results = Results::new(name);
        for round in 0..*rounds {
            rounds::run(self, round, &mut results);
        }

        let verdicts = bars::judge(&self.bars, &results);
        let figures = results.to_json().to_string();
        let page = page::write(self, &results, &verdicts);
        let mut files = vec![("md", page.clone()), ("json", figures.clone())];
        if self.plot {
            files.push(("svg", plot::draw(&verdicts, name)));
        }
        for (ending, text) in files {
            let path = out.join(self.file).with_extension(ending);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        println!("{}", if *json { figures } else { page });
        match results.failures() {
            [] => Ok(()),
            failures => bail!("{} runs failed:\n{}", failures.len(), failures.join("\n")),
        }
    }
}

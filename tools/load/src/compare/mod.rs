//! `load compare`: a server and the two floors in every scenario, in turn, over several rounds,
//! and the page that says how they compare. It must not know how a scenario measures.

mod bars;
mod page;
mod plot;
mod results;
mod suite;

use anyhow::{Context, Result, bail};
use results::{Results, Scenario};
use std::fs;
use std::path::PathBuf;

/// Options of `load compare`.
#[derive(clap::Args, Clone)]
pub(crate) struct Options {
    /// Shell command that starts the server under test; PORT is in its environment
    #[arg(long)]
    pub(crate) server: String,
    /// What the page calls it
    #[arg(long, default_value = "dunlin")]
    pub(crate) name: String,
    /// Folder for benchmarks.md, benchmarks.svg and benchmarks.json
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Rounds; each figure is a median over them
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Only these scenarios, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_enum)]
    pub(crate) only: Vec<Scenario>,
    #[command(flatten)]
    pub(crate) size: suite::Size,
    /// Print all reports as JSON instead of the page
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs the suite, writes the page, prints it. Errors: a scenario failed (the page is written
/// all the same, without it).
pub(crate) fn run(options: &Options) -> Result<()> {
    // Found out before an hour of measuring, not after.
    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot create {}", options.out.display()))?;
    let wanted = |scenario: &Scenario| options.only.is_empty() || options.only.contains(scenario);
    let mut results = Results::default();
    for round in 0..options.rounds {
        for scenario in Scenario::ALL.into_iter().filter(wanted) {
            for contender in scenario.contenders() {
                let label = contender.label(&options.name);
                eprintln!("round {}/{}: {scenario:?}, {label}", round + 1, options.rounds);
                match suite::measure(options, scenario, contender) {
                    Ok(report) => results.add(round, scenario, contender, report),
                    Err(error) => results.fail(format!("{scenario:?}, {label}: {error:#}")),
                }
            }
        }
    }

    let json = results.to_json(|one| one.label(&options.name).to_owned()).to_string();
    let page = page::write(&results, options);
    let plot = plot::draw(&bars::judge(&results), &options.name);
    for (file, text) in
        [("benchmarks.md", &page), ("benchmarks.svg", &plot), ("benchmarks.json", &json)]
    {
        let path = options.out.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", if options.json { &json } else { &page });
    match results.failures() {
        [] => Ok(()),
        failures => bail!("{} runs failed:\n{}", failures.len(), failures.join("\n")),
    }
}

//! Where the difference between the record and the last run is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::callgrind::functions_of;
use crate::counts::recorded_functions;
use crate::functions::{self, Functions};

/// Differences below this part of the whole are not shown.
const LEAST: f64 = 0.002;

/// Prints each function's instructions per operation, recorded and now, the largest rise first.
pub(crate) fn print(operation: &str) -> Result<()> {
    let recorded = read(&recorded_functions(operation))?;
    let now = read(&functions_of(operation)?).context("count first: cargo run -p guard")?;
    let least = recorded.values().sum::<f64>() * LEAST;

    let cost = |functions: &Functions, name| functions.get(name).copied().unwrap_or(0.0);
    let names: BTreeSet<&String> = recorded.keys().chain(now.keys()).collect();
    let rows = names.into_iter().map(|name| (cost(&recorded, name), cost(&now, name), name));
    let mut rows: Vec<_> =
        rows.map(|(before, after, name)| (after - before, before, name)).collect();
    rows.retain(|(more, ..)| more.abs() >= least);
    rows.sort_by(|(more, ..), (others, ..)| others.total_cmp(more));

    println!("{:>10}{:>10}  function, without what it calls", "recorded", "now");
    for (more, before, name) in rows {
        println!("{before:>10.0}{:>10.0}  {more:>+8.0}  {name}", before + more);
    }
    Ok(())
}

fn read(path: &Path) -> Result<Functions> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path:?}"))?;
    Ok(functions::from_text(&text))
}

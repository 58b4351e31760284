//! A round: every measurement on each of its setups, in turn.

use super::results::Results;
use super::running::Running;
use super::setup::Setup;
use super::{Comparison, Measurement};
use anyhow::Result;
use std::fmt::Debug;

/// Does a round, and adds what it finds to `results`.
pub(super) fn run<S: Copy + PartialEq + Debug>(
    comparison: &Comparison<'_, S>,
    round: usize,
    results: &mut Results<S>,
) {
    let mut running: Vec<Running> = Vec::new();
    for (at, measurement) in comparison.measurements.iter().enumerate() {
        let Measurement { scenario, measure, .. } = measurement;
        let mut setups = measurement.setups.clone();
        // Another one is the first in every round.
        let first = round % setups.len().max(1);
        setups.rotate_left(first);
        for setup in setups {
            let what = format!("{scenario:?}, {}", setup.label(&comparison.options.name));
            eprintln!("round {}/{}: {what}", round + 1, comparison.options.rounds);
            let report = started(comparison, setup, &mut running).and_then(measure);
            let failed = report.is_err();
            match report {
                Ok(report) => results.add(round, *scenario, setup, report),
                Err(error) => results.fail(format!("{what}: {error:#}")),
            }
            // Whatever state failed processes are in now, nothing else is measured on them.
            if failed || !comparison.keeps_running {
                running.retain(|other| other.setup != setup);
            }
        }
        let later = &comparison.measurements[at + 1..];
        running.retain(|one| later.iter().any(|other| other.setups.contains(&one.setup)));
    }
}

/// The processes of `setup`, started if they do not run yet.
fn started<'a, S>(
    comparison: &Comparison<'_, S>,
    setup: Setup,
    running: &'a mut Vec<Running>,
) -> Result<&'a Running> {
    let at = match running.iter().position(|one| one.setup == setup) {
        Some(at) => at,
        None => {
            running.push(Running::start(setup, &comparison.options.server, comparison.app)?);
            running.len() - 1
        }
    };
    Ok(&running[at])
}

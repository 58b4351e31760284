//! All reports of a comparison, round by round; their medians, and how they compare within each
//! round. It must not know what the figures mean.

use super::setup::Setup;
use crate::report::{Figure, Report};
use serde_json::{Value, json};
use std::fmt::Debug;

/// Reports by round, scenario and setup, and what went wrong.
pub(super) struct Results<S> {
    /// The name of the server under test.
    server: String,
    runs: Vec<Run<S>>,
    failures: Vec<String>,
}

struct Run<S> {
    round: usize,
    scenario: S,
    setup: Setup,
    report: Report,
}

/// A figure over several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// The middle one (of an even number, the mean of the two in the middle).
    pub(super) median: f64,
    /// The smallest.
    pub(super) min: f64,
    /// The largest.
    pub(super) max: f64,
}

impl Spread {
    /// Over `values`, `None` if there are none.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let below = if values.len().is_multiple_of(2) { middle - 1 } else { middle };
        Some(Self { median: (values[below] + values[middle]) / 2.0, min, max })
    }
}

impl<S: Copy + PartialEq + Debug> Results<S> {
    /// None yet, of a server with this name.
    pub(super) fn new(server: &str) -> Self {
        Self { server: server.to_owned(), runs: Vec::new(), failures: Vec::new() }
    }

    /// Adds a report; deliveries that went wrong in it are failures too.
    pub(super) fn add(&mut self, round: usize, scenario: S, setup: Setup, report: Report) {
        for fault in faults(&report) {
            self.fail(format!(
                "{scenario:?}, {}, round {}: {fault}",
                setup.label(&self.server),
                round + 1
            ));
        }
        self.runs.push(Run { round, scenario, setup, report });
    }

    /// Notes a run that failed.
    pub(super) fn fail(&mut self, why: String) {
        eprintln!("failed: {why}");
        self.failures.push(why);
    }

    /// The runs that failed, and why.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// A figure over all rounds.
    pub(super) fn spread(&self, scenario: S, setup: Setup, name: &str) -> Option<Spread> {
        Spread::of(self.values(scenario, setup, name).map(|(_, value)| value).collect())
    }

    /// One setup's figure divided by what `of` makes of the other's, round by round: what
    /// disturbs one disturbs the other as well.
    pub(super) fn ratio(
        &self,
        scenario: S,
        name: &str,
        setups: [Setup; 2],
        of: impl Fn(f64) -> f64,
    ) -> Option<Spread> {
        let [one, other] = setups.map(|setup| self.values(scenario, setup, name));
        let other = other.map(|(round, value)| (round, of(value))).collect::<Vec<_>>();
        Spread::of(divided(one, &other).map(|(_, ratio)| ratio).collect())
    }

    /// The ratio of two setups in one scenario divided by their ratio in another, round by
    /// round: what is left of it when what both scenarios share is taken out.
    pub(super) fn beyond(
        &self,
        scenarios: [S; 2],
        name: &str,
        setups: [Setup; 2],
    ) -> Option<Spread> {
        let [ratios, others] = scenarios.map(|scenario| {
            let [one, other] = setups.map(|setup| self.values(scenario, setup, name));
            divided(one, &other.collect::<Vec<_>>()).collect::<Vec<_>>()
        });
        Spread::of(divided(ratios.into_iter(), &others).map(|(_, ratio)| ratio).collect())
    }

    fn values(&self, scenario: S, setup: Setup, name: &str) -> impl Iterator<Item = (usize, f64)> {
        self.of(scenario, setup).filter_map(move |run| Some((run.round, run.report.get(name)?)))
    }

    /// The figures that a scenario reports, from the run that has most of them.
    pub(super) fn figures(&self, scenario: S) -> &[Figure] {
        let of_scenario = self.runs.iter().filter(|run| run.scenario == scenario);
        let figures = of_scenario.map(|run| run.report.figures());
        figures.rev().max_by_key(|figures| figures.len()).unwrap_or(&[])
    }

    /// True if a setup was measured in a scenario.
    pub(super) fn has(&self, scenario: S, setup: Setup) -> bool {
        self.of(scenario, setup).next().is_some()
    }

    fn of(&self, scenario: S, setup: Setup) -> impl Iterator<Item = &Run<S>> {
        self.runs.iter().filter(move |run| run.scenario == scenario && run.setup == setup)
    }

    /// `[{"round": 1, "contender": "floor", "scenario": "...", "<figure>": number, ...}]`.
    pub(super) fn to_json(&self) -> Value {
        let run = |run: &Run<S>| {
            let mut object = run.report.to_json();
            object["round"] = json!(run.round + 1);
            object["contender"] = json!(run.setup.label(&self.server));
            object["scenario"] = json!(format!("{:?}", run.scenario).to_lowercase());
            object
        };
        Value::Array(self.runs.iter().map(run).collect())
    }
}

/// Each round's value divided by the other one of the same round.
fn divided(
    values: impl Iterator<Item = (usize, f64)>,
    others: &[(usize, f64)],
) -> impl Iterator<Item = (usize, f64)> {
    values.filter_map(|(round, value)| {
        let (_, other) = others.iter().find(|(other, _)| *other == round)?;
        (*other > 0.0).then_some((round, value / other))
    })
}

/// Faults that no run may have, whatever it measured.
fn faults(report: &Report) -> Vec<String> {
    ["lost", "repeated", "out_of_order", "misdelivered"]
        .into_iter()
        .filter_map(|name| {
            let count = report.get(name).filter(|count| *count > 0.0)?;
            Some(format!("{count} deliveries {}", name.replace('_', " ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Setup::{Floor, Server};

    #[test]
    fn the_ratio_is_taken_within_each_round() {
        let mut results = Results::new("server");
        for (round, floor, server) in [(0, 10.0, 5.0), (1, 20.0, 30.0), (2, 10.0, 10.0)] {
            for (setup, value) in [(Floor, floor), (Server, server)] {
                let mut report = Report::new("publish");
                report.figure("cpu", value, "us");
                results.add(round, "publish", setup, report);
            }
        }
        assert_eq!(
            results.ratio("publish", "cpu", [Server, Floor], |floor| floor),
            Some(Spread { median: 1.0, min: 0.5, max: 1.5 })
        );
        assert_eq!(Spread::of(vec![1.0, 4.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of(vec![]), None);
    }

    #[test]
    fn what_two_scenarios_share_is_taken_out() {
        let mut results = Results::new("server");
        for (round, factor) in [(0, 1.0), (1, 3.0)] {
            let all = [(Floor, "here", 10.0), (Server, "here", 20.0 * factor)];
            let all = all.into_iter().chain([(Floor, "there", 30.0), (Server, "there", 66.0)]);
            for (setup, scenario, value) in all {
                let mut report = Report::new("publish");
                report.figure("cpu", value, "us");
                results.add(round, scenario, setup, report);
            }
        }
        let beyond = results.beyond(["there", "here"], "cpu", [Server, Floor]).unwrap();
        assert!((beyond.max - 1.1).abs() < 1e-9 && (beyond.min - 1.1 / 3.0).abs() < 1e-9);
        assert_eq!(results.beyond(["there", "elsewhere"], "cpu", [Server, Floor]), None);
    }

    #[test]
    fn a_lost_delivery_is_a_failure() {
        let (mut results, mut report) = (Results::new("server"), Report::new("fanout"));
        report.count("lost", 2);
        report.count("repeated", 0);
        results.add(0, "fanout", Server, report);
        assert_eq!(results.failures(), ["\"fanout\", server, round 1: 2 deliveries lost"]);
    }
}

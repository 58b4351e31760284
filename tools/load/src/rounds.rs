//! All reports of a suite that runs its scenarios on several contenders in turn, round by round;
//! their medians, and how they compare within each round. It must not know what is measured on
//! whom.

use crate::report::{Figure, Report};
use serde_json::{Value, json};
use std::fmt::Debug;

/// Reports by round, scenario and contender, and what went wrong.
pub(crate) struct Rounds<S, C> {
    runs: Vec<Run<S, C>>,
    failures: Vec<String>,
}

struct Run<S, C> {
    round: usize,
    scenario: S,
    contender: C,
    report: Report,
}

/// A figure over several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The middle one (of an even number, the mean of the two in the middle).
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Spread {
    /// Over `values`, `None` if there are none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let below = if values.len().is_multiple_of(2) { middle - 1 } else { middle };
        Some(Self { median: (values[below] + values[middle]) / 2.0, min, max })
    }
}

impl<S, C> Default for Rounds<S, C> {
    fn default() -> Self {
        Self { runs: Vec::new(), failures: Vec::new() }
    }
}

impl<S: Copy + PartialEq + Debug, C: Copy + PartialEq + Debug> Rounds<S, C> {
    /// Adds a report; deliveries that went wrong in it are failures too.
    pub(crate) fn add(&mut self, round: usize, scenario: S, contender: C, report: Report) {
        for fault in faults(&report) {
            self.fail(format!("{scenario:?}, {contender:?}, round {}: {fault}", round + 1));
        }
        self.runs.push(Run { round, scenario, contender, report });
    }

    /// Notes a run that failed.
    pub(crate) fn fail(&mut self, why: String) {
        eprintln!("failed: {why}");
        self.failures.push(why);
    }

    /// The runs that failed, and why.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// A figure over all rounds.
    pub(crate) fn spread(&self, scenario: S, contender: C, name: &str) -> Option<Spread> {
        Spread::of(self.values(scenario, contender, name).map(|(_, value)| value).collect())
    }

    /// One contender's figure divided by what `of` makes of the other's, round by round: what
    /// disturbs one disturbs the other as well.
    pub(crate) fn ratio(
        &self,
        scenario: S,
        name: &str,
        contenders: [C; 2],
        of: impl Fn(f64) -> f64,
    ) -> Option<Spread> {
        let [one, other] = contenders.map(|contender| self.values(scenario, contender, name));
        let other = other.map(|(round, value)| (round, of(value))).collect::<Vec<_>>();
        Spread::of(divided(one, &other).map(|(_, ratio)| ratio).collect())
    }

    /// The ratio of two contenders in one scenario divided by their ratio in another, round by
    /// round: what is left of it when what both scenarios share is taken out.
    pub(crate) fn beyond(
        &self,
        scenarios: [S; 2],
        name: &str,
        contenders: [C; 2],
    ) -> Option<Spread> {
        let [ratios, others] = scenarios.map(|scenario| {
            let [one, other] = contenders.map(|contender| self.values(scenario, contender, name));
            divided(one, &other.collect::<Vec<_>>()).collect::<Vec<_>>()
        });
        Spread::of(divided(ratios.into_iter(), &others).map(|(_, ratio)| ratio).collect())
    }

    fn values(&self, scenario: S, contender: C, name: &str) -> impl Iterator<Item = (usize, f64)> {
        self.of(scenario, contender).filter_map(move |run| Some((run.round, run.report.get(name)?)))
    }

    /// The figures that a scenario reports, from the run that has most of them.
    pub(crate) fn figures(&self, scenario: S) -> &[Figure] {
        let of_scenario = self.runs.iter().filter(|run| run.scenario == scenario);
        let figures = of_scenario.map(|run| run.report.figures());
        figures.rev().max_by_key(|figures| figures.len()).unwrap_or(&[])
    }

    /// True if a contender was measured in a scenario.
    pub(crate) fn has(&self, scenario: S, contender: C) -> bool {
        self.of(scenario, contender).next().is_some()
    }

    fn of(&self, scenario: S, contender: C) -> impl Iterator<Item = &Run<S, C>> {
        self.runs.iter().filter(move |run| run.scenario == scenario && run.contender == contender)
    }

    /// `[{"round": 1, "contender": "floor", "scenario": "...", "<figure>": number, ...}]`.
    pub(crate) fn to_json(&self, label: impl Fn(C) -> String) -> Value {
        let run = |run: &Run<S, C>| {
            let mut object = run.report.to_json();
            object["round"] = json!(run.round + 1);
            object["contender"] = json!(label(run.contender));
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

    #[test]
    fn the_ratio_is_taken_within_each_round() {
        let mut results = Rounds::default();
        for (round, floor, server) in [(0, 10.0, 5.0), (1, 20.0, 30.0), (2, 10.0, 10.0)] {
            for (contender, value) in [("floor", floor), ("server", server)] {
                let mut report = Report::new("publish");
                report.figure("cpu", value, "us");
                results.add(round, "publish", contender, report);
            }
        }
        assert_eq!(
            results.ratio("publish", "cpu", ["server", "floor"], |floor| floor),
            Some(Spread { median: 1.0, min: 0.5, max: 1.5 })
        );
        assert_eq!(Spread::of(vec![1.0, 4.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of(vec![]), None);
    }

    #[test]
    fn what_two_scenarios_share_is_taken_out() {
        let mut results = Rounds::default();
        for (round, factor) in [(0, 1.0), (1, 3.0)] {
            let all = [("few", "here", 10.0), ("many", "here", 20.0 * factor)];
            let all = all.into_iter().chain([("few", "there", 30.0), ("many", "there", 66.0)]);
            for (contender, scenario, value) in all {
                let mut report = Report::new("publish");
                report.figure("cpu", value, "us");
                results.add(round, scenario, contender, report);
            }
        }
        let beyond = results.beyond(["there", "here"], "cpu", ["many", "few"]).unwrap();
        assert!((beyond.max - 1.1).abs() < 1e-9 && (beyond.min - 1.1 / 3.0).abs() < 1e-9);
        assert_eq!(results.beyond(["there", "elsewhere"], "cpu", ["many", "few"]), None);
    }

    #[test]
    fn a_lost_delivery_is_a_failure() {
        let (mut results, mut report) = (Rounds::default(), Report::new("fanout"));
        report.count("lost", 2);
        report.count("repeated", 0);
        results.add(0, "fanout", "server", report);
        assert_eq!(results.failures(), ["\"fanout\", \"server\", round 1: 2 deliveries lost"]);
    }
}

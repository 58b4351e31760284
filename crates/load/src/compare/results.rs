//! All reports of a suite, and the medians and ratios over its rounds.

use super::faults;
use crate::report::{Figure, Report};
use serde_json::{Value, json};

/// What is measured.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scenario {
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

/// What it is measured on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Contender {
    /// The floor that sends each frame by itself.
    Floor,
    /// The floor that sends what is pending at once.
    Coalescing,
    /// The server under test.
    Server,
}

/// Reports by round, scenario and contender, and what went wrong.
#[derive(Default)]
pub(crate) struct Results {
    runs: Vec<Run>,
    failures: Vec<String>,
}

struct Run {
    round: usize,
    scenario: Scenario,
    contender: Contender,
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

impl Scenario {
    /// All, in the order in which a round runs them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Fanout,
        Self::Steady,
        Self::Publish,
        Self::Churn,
        Self::Idle,
        Self::Channels,
        Self::Start,
    ];

    /// Whom a round measures, in order: the coalescing floor only where it makes a difference.
    pub(crate) fn contenders(self) -> Vec<Contender> {
        match self {
            Self::Fanout | Self::Steady | Self::Publish => {
                vec![Contender::Floor, Contender::Coalescing, Contender::Server]
            }
            _ => vec![Contender::Floor, Contender::Server],
        }
    }

    /// The heading of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Fanout => "Fan-out, closed loop",
            Self::Steady => "Fan-out, open loop",
            Self::Publish => "HTTP publish to one subscriber",
            Self::Churn => "Connect, subscribe, close",
            Self::Idle => "Idle connections",
            Self::Channels => "Many channels",
            Self::Start => "Start to ready",
        }
    }
}

impl Contender {
    /// What tables call it; `server` is the name of the server under test.
    pub(crate) fn label(self, server: &str) -> &str {
        match self {
            Self::Floor => "floor",
            Self::Coalescing => "floor, coalescing",
            Self::Server => server,
        }
    }
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

impl Results {
    /// Adds a report; deliveries that went wrong in it are failures too.
    pub(crate) fn add(
        &mut self,
        round: usize,
        scenario: Scenario,
        contender: Contender,
        report: Report,
    ) {
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
    pub(crate) fn spread(
        &self,
        scenario: Scenario,
        contender: Contender,
        name: &str,
    ) -> Option<Spread> {
        Spread::of(
            self.values(scenario, contender, name).into_iter().map(|(_, value)| value).collect(),
        )
    }

    /// The server's figure divided by the floor's, round by round: what disturbs one disturbs the
    /// other as well.
    pub(crate) fn ratio(&self, scenario: Scenario, name: &str) -> Option<Spread> {
        let floors = self.values(scenario, Contender::Floor, name);
        let ratio = |(round, value): (usize, f64)| {
            let (_, floor) = floors.iter().find(|(other, _)| *other == round)?;
            (*floor > 0.0).then_some(value / floor)
        };
        let values = self.values(scenario, Contender::Server, name);
        Spread::of(values.into_iter().filter_map(ratio).collect())
    }

    fn values(&self, scenario: Scenario, contender: Contender, name: &str) -> Vec<(usize, f64)> {
        self.of(scenario, contender)
            .filter_map(|run| Some((run.round, run.report.get(name)?)))
            .collect()
    }

    /// The figures that a scenario reports, from its first run.
    pub(crate) fn figures(&self, scenario: Scenario) -> &[Figure] {
        let first = self.runs.iter().find(|run| run.scenario == scenario);
        first.map_or(&[], |run| run.report.figures())
    }

    /// True if a contender was measured in a scenario.
    pub(crate) fn has(&self, scenario: Scenario, contender: Contender) -> bool {
        self.of(scenario, contender).next().is_some()
    }

    fn of(&self, scenario: Scenario, contender: Contender) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.scenario == scenario && run.contender == contender)
    }

    /// `[{"round": 1, "contender": "floor", "scenario": "...", "<figure>": number, ...}]`.
    pub(crate) fn to_json(&self, server: &str) -> Value {
        let run = |run: &Run| {
            let mut object = run.report.to_json();
            object["round"] = json!(run.round + 1);
            object["contender"] = json!(run.contender.label(server));
            object["scenario"] = json!(format!("{:?}", run.scenario).to_lowercase());
            object
        };
        Value::Array(self.runs.iter().map(run).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_taken_within_each_round() {
        let mut results = Results::default();
        for (round, floor, server) in [(0, 10.0, 5.0), (1, 20.0, 30.0), (2, 10.0, 10.0)] {
            for (contender, value) in [(Contender::Floor, floor), (Contender::Server, server)] {
                let mut report = Report::new("publish");
                report.figure("cpu", value, "us");
                results.add(round, Scenario::Publish, contender, report);
            }
        }
        assert_eq!(
            results.ratio(Scenario::Publish, "cpu"),
            Some(Spread { median: 1.0, min: 0.5, max: 1.5 })
        );
        assert_eq!(Spread::of(vec![1.0, 4.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of(vec![]), None);
    }

    #[test]
    fn a_lost_delivery_is_a_failure() {
        let (mut results, mut report) = (Results::default(), Report::new("fanout"));
        report.count("lost", 2);
        report.count("repeated", 0);
        results.add(0, Scenario::Fanout, Contender::Server, report);
        assert_eq!(results.failures(), ["Fanout, Server, round 1: 2 deliveries lost"]);
    }
}

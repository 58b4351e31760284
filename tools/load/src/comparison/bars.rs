//! Figures that are held to bars, and how the results stand to them. It must not know which figures
//! and bars there are.

use super::results::{Results, Spread};
use super::setup::Setup;
use Limit::{AtLeast, AtMost};
use std::fmt::Debug;

/// A figure that is held to a bar, or only shown.
pub(crate) struct Bar<S> {
    /// What it is.
    pub(crate) label: &'static str,
    /// Whose figure it is.
    pub(crate) setup: Setup,
    /// Where it is measured.
    pub(crate) scenario: S,
    /// Its name in that scenario's report.
    pub(crate) figure: &'static str,
    /// What it is divided by.
    pub(crate) baseline: Baseline<S>,
    /// Where the bar is; none for what is only shown.
    pub(crate) limit: Option<Limit>,
}

/// What a figure is divided by before it is compared. All is taken from one round, since what
/// disturbs one measurement in it disturbs the others as well.
pub(crate) enum Baseline<S> {
    /// Nothing: it is compared as it is, in this unit.
    Nothing(&'static str),
    /// The figure of another setup.
    Setup(Setup),
    /// So many times the figure of another setup, and so much more.
    Allowed(Setup, f64, f64),
    /// The figure of another setup, and by how much the two differ in another scenario.
    Beyond(Setup, S),
}

/// A bar and how the results stand to it.
pub(super) struct Verdict<'a, S> {
    /// The bar.
    pub(super) bar: &'a Bar<S>,
    /// The figure itself.
    pub(super) value: Spread,
    /// What is compared with the limit.
    pub(super) compared: Spread,
}

/// Where the bar is.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// Lower is better.
    AtMost(f64),
    /// Higher is better.
    AtLeast(f64),
}

impl Limit {
    /// True if `value` is on the right side.
    pub(super) fn is_met_by(self, value: f64) -> bool {
        match self {
            AtMost(limit) => value <= limit,
            AtLeast(limit) => value >= limit,
        }
    }

    /// The figure at the bar.
    pub(super) fn value(self) -> f64 {
        match self {
            AtMost(value) | AtLeast(value) => value,
        }
    }

    /// `≤ 0.32` or `≥ 3`.
    pub(super) fn text(self) -> String {
        match self {
            AtMost(value) => format!("≤ {value}"),
            AtLeast(value) => format!("≥ {value}"),
        }
    }
}

impl<S> Baseline<S> {
    /// The unit of what is compared: `x floor`, `ms`, or nothing.
    pub(super) fn unit(&self) -> String {
        match self {
            Self::Nothing(unit) => (*unit).to_owned(),
            Self::Setup(other) | Self::Beyond(other, _) => format!("x {}", other.as_baseline()),
            Self::Allowed(..) => "x allowed".to_owned(),
        }
    }
}

/// Every bar whose figure was measured.
pub(super) fn judge<'a, S: Copy + PartialEq + Debug>(
    bars: &'a [Bar<S>],
    results: &Results<S>,
) -> Vec<Verdict<'a, S>> {
    let verdict = |bar: &'a Bar<S>| {
        let Bar { setup, scenario, figure, .. } = *bar;
        let value = results.spread(scenario, setup, figure)?;
        let compared = match bar.baseline {
            Baseline::Nothing(_) => value,
            Baseline::Setup(other) => {
                results.ratio(scenario, figure, [setup, other], |other| other)?
            }
            Baseline::Allowed(other, times, more) => {
                results.ratio(scenario, figure, [setup, other], |other| times * other + more)?
            }
            Baseline::Beyond(other, without) => {
                results.beyond([scenario, without], figure, [setup, other])?
            }
        };
        Some(Verdict { bar, value, compared })
    };
    bars.iter().filter_map(verdict).collect()
}

impl<S> Verdict<'_, S> {
    /// Whether the median is on the right side of the bar, if there is one.
    pub(super) fn met(&self) -> Option<bool> {
        self.bar.limit.map(|limit| limit.is_met_by(self.compared.median))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;
    use Setup::{Floor, Server};

    #[test]
    fn each_kind_of_bar_is_judged() {
        let mut results = Results::new("any");
        let mut add = |scenario, setup, name: &str, value| {
            let mut report = Report::new("any");
            report.figure(name, value, "");
            results.add(0, scenario, setup, report);
        };
        add("fanout", Floor, "deliveries_per_s", 100.0);
        add("fanout", Server, "deliveries_per_s", 299.0);
        add("publish", Floor, "cpu_us_per_publish", 20.0);
        add("publish", Server, "cpu_us_per_publish", 40.0);
        add("channels", Server, "cpu_many_to_few", 1.25);
        add("start", Server, "ready_ms", 50.0);
        let bar = |scenario, figure, baseline, limit| Bar {
            label: "any",
            setup: Server,
            scenario,
            figure,
            baseline,
            limit,
        };
        let floor = || Baseline::Setup(Floor);
        let bars = [
            bar("fanout", "deliveries_per_s", floor(), Some(AtLeast(3.0))),
            bar("publish", "cpu_us_per_publish", floor(), Some(AtMost(2.0))),
            bar("publish", "cpu_us_per_publish", Baseline::Allowed(Floor, 1.5, 10.0), None),
            bar("publish", "cpu_us_per_publish", Baseline::Beyond(Floor, "publish"), None),
            bar("publish", "not_measured", floor(), Some(AtMost(2.0))),
            bar("channels", "cpu_many_to_few", Baseline::Nothing("x"), Some(AtMost(1.2))),
            bar("start", "ready_ms", Baseline::Nothing("ms"), Some(AtMost(50.0))),
        ];
        let verdicts = judge(&bars, &results);
        let shown: Vec<_> =
            verdicts.iter().map(|one| (one.bar.figure, one.compared.median, one.met())).collect();
        assert_eq!(
            shown,
            [
                ("deliveries_per_s", 2.99, Some(false)),
                ("cpu_us_per_publish", 2.0, Some(true)),
                ("cpu_us_per_publish", 1.0, None),
                ("cpu_us_per_publish", 1.0, None),
                ("cpu_many_to_few", 1.25, Some(false)),
                ("ready_ms", 50.0, Some(true)),
            ]
        );
        let units: Vec<_> = bars[1..4].iter().map(|bar| bar.baseline.unit()).collect();
        assert_eq!(units, ["x floor", "x allowed", "x floor"]);
    }
}

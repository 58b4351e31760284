//! The figures that the project holds itself to, and whether a suite's results meet them.

use super::results::{Contender, Results, Scenario};
use crate::limit::Limit;
use crate::rounds::Spread;

/// One bar.
pub(crate) struct Bar {
    /// What is held to it.
    pub(crate) label: &'static str,
    scenario: Scenario,
    figure: &'static str,
    /// What the figure is divided by.
    pub(crate) against: Against,
    /// Where the bar is.
    pub(crate) limit: Limit,
}

/// What a figure is divided by before it is compared.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Against {
    /// The floor's, in the same scenario and round: a ratio.
    Floor,
    /// Nothing: the figure as it is, in this unit.
    Nothing(&'static str),
}

/// A bar and how the server stands to it.
pub(crate) struct Verdict {
    /// The bar.
    pub(crate) bar: &'static Bar,
    /// The server's figure itself.
    pub(crate) value: Spread,
    /// What is compared with the limit: the ratio, or the figure itself.
    pub(crate) compared: Spread,
}

const fn bar(
    label: &'static str,
    scenario: Scenario,
    figure: &'static str,
    against: Against,
    limit: Limit,
) -> Bar {
    Bar { label, scenario, figure, against, limit }
}

use Against::{Floor, Nothing};
use Limit::{AtLeast, AtMost};
use Scenario::{Channels, Churn, Fanout, Idle, Publish, Start, Steady};

/// All bars, in the order of the page.
static BARS: [Bar; 12] = [
    bar("Fan-out: CPU per delivery", Fanout, "cpu_us_per_delivery", Floor, AtMost(0.32)),
    bar("Fan-out: deliveries per second", Fanout, "deliveries_per_s", Floor, AtLeast(3.0)),
    bar("Open loop: CPU per delivery", Steady, "cpu_us_per_delivery", Floor, AtMost(1.15)),
    bar("Open loop: p99 latency", Steady, "delivery_p99_us", Floor, AtMost(1.2)),
    bar("Publish: CPU per publish", Publish, "cpu_us_per_publish", Floor, AtMost(2.0)),
    bar("Publish: publishes per second", Publish, "publishes_per_s", Floor, AtLeast(0.6)),
    bar("Churn: CPU per cycle", Churn, "cpu_us_per_cycle", Floor, AtMost(1.4)),
    bar(
        "Many channels: CPU per publish, to few",
        Channels,
        "cpu_many_to_few",
        Nothing("x"),
        AtMost(1.2),
    ),
    bar(
        "Idle: memory per connection",
        Idle,
        "rss_bytes_per_connection",
        Nothing("B"),
        AtMost(2048.0),
    ),
    bar("Idle: CPU", Idle, "server_cpu_percent", Nothing("%"), AtMost(0.3)),
    bar(
        "Many channels: memory per channel",
        Channels,
        "rss_bytes_per_channel",
        Nothing("B"),
        AtMost(400.0),
    ),
    bar("Start to ready", Start, "ready_ms", Nothing("ms"), AtMost(50.0)),
];

/// Every bar that was measured.
pub(crate) fn judge(results: &Results) -> Vec<Verdict> {
    let verdict = |bar: &'static Bar| {
        let own = (bar.scenario, Contender::Server);
        let value = results.spread(own.0, own.1, bar.figure)?;
        let compared = match bar.against {
            Floor => {
                let both = [Contender::Server, Contender::Floor];
                results.ratio(bar.scenario, bar.figure, both, |floor| floor)?
            }
            Nothing(_) => value,
        };
        Some(Verdict { bar, value, compared })
    };
    BARS.iter().filter_map(verdict).collect()
}

impl Verdict {
    /// True if the median is on the right side.
    pub(crate) fn met(&self) -> bool {
        self.bar.limit.is_met_by(self.compared.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[test]
    fn each_kind_of_bar_is_judged() {
        let mut results = Results::default();
        let mut add = |scenario, contender, name: &str, value| {
            let mut report = Report::new("any");
            report.figure(name, value, "");
            results.add(0, scenario, contender, report);
        };
        add(Fanout, Contender::Floor, "deliveries_per_s", 100.0);
        add(Fanout, Contender::Server, "deliveries_per_s", 299.0);
        add(Publish, Contender::Floor, "cpu_us_per_publish", 20.0);
        add(Publish, Contender::Server, "cpu_us_per_publish", 40.0);
        add(Channels, Contender::Server, "cpu_many_to_few", 1.25);
        add(Start, Contender::Server, "ready_ms", 50.0);
        let verdicts = judge(&results);
        let shown: Vec<_> =
            verdicts.iter().map(|one| (one.bar.figure, one.compared.median, one.met())).collect();
        assert_eq!(
            shown,
            [
                ("deliveries_per_s", 2.99, false),
                ("cpu_us_per_publish", 2.0, true),
                ("cpu_many_to_few", 1.25, false),
                ("ready_ms", 50.0, true),
            ]
        );
    }
}

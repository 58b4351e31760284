//! The figures that the project holds itself to.

use super::Scenario::{self, Channels, Churn, Fanout, Idle, Publish, Start, Steady};
use crate::comparison::bars::Limit::{self, AtLeast, AtMost};
use crate::comparison::bars::{Bar, Baseline};
use crate::comparison::setup::Setup;

/// All bars, in the order of the page.
pub(super) fn all() -> Vec<Bar<Scenario>> {
    let floor = || Baseline::Setup(Setup::Floor);
    let plain = Baseline::Nothing;
    vec![
        bar("Fan-out: CPU per delivery", Fanout, "cpu_us_per_delivery", floor(), AtMost(0.32)),
        bar("Fan-out: deliveries per second", Fanout, "deliveries_per_s", floor(), AtLeast(3.0)),
        bar("Open loop: CPU per delivery", Steady, "cpu_us_per_delivery", floor(), AtMost(1.15)),
        bar("Open loop: p99 latency", Steady, "delivery_p99_us", floor(), AtMost(1.2)),
        bar("Publish: CPU per publish", Publish, "cpu_us_per_publish", floor(), AtMost(2.0)),
        bar("Publish: publishes per second", Publish, "publishes_per_s", floor(), AtLeast(0.6)),
        bar("Churn: CPU per cycle", Churn, "cpu_us_per_cycle", floor(), AtMost(1.4)),
        bar(
            "Many channels: CPU per publish, to few",
            Channels,
            "cpu_many_to_few",
            plain("x"),
            AtMost(1.2),
        ),
        bar(
            "Idle: memory per connection",
            Idle,
            "rss_bytes_per_connection",
            plain("B"),
            AtMost(2048.0),
        ),
        bar("Idle: CPU", Idle, "server_cpu_percent", plain("%"), AtMost(0.3)),
        bar(
            "Many channels: memory per channel",
            Channels,
            "rss_bytes_per_channel",
            plain("B"),
            AtMost(400.0),
        ),
        bar("Start to ready", Start, "ready_ms", plain("ms"), AtMost(50.0)),
    ]
}

fn bar(
    label: &'static str,
    scenario: Scenario,
    figure: &'static str,
    baseline: Baseline<Scenario>,
    limit: Limit,
) -> Bar<Scenario> {
    Bar { label, setup: Setup::Server, scenario, figure, baseline, limit: Some(limit) }
}

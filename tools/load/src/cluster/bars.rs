//! The figures that several nodes are held to, and whether the results meet them.

use super::Results;
use super::setup::{ALONE, Adapter, Scenario, Setup};
use crate::limit::Limit::{self, AtLeast, AtMost};
use crate::rounds::Spread;

/// A figure that is held to a bar, or shown for comparison.
pub(super) struct Bar {
    /// What it is.
    pub(super) label: &'static str,
    /// Whose figure it is.
    pub(super) of: Setup,
    scenario: Scenario,
    figure: &'static str,
    /// What it is divided by.
    pub(super) against: Against,
    /// Where the bar is; none for what is only shown.
    pub(super) limit: Option<Limit>,
}

/// What a figure is divided by before it is compared.
#[derive(Clone, Copy)]
pub(super) enum Against {
    /// That of another setup in the same round.
    Setup(Setup),
    /// So many times that of a node on its own in the same round, and so much more.
    Allowed(f64, f64),
    /// That of another setup in the same round, and by how much the two differ in another scenario.
    Beyond(Setup, Scenario),
    /// Nothing.
    Nothing,
}

/// A bar and how the nodes stand to it.
pub(super) struct Verdict {
    /// The bar.
    pub(super) bar: Bar,
    /// The figure itself.
    pub(super) value: Spread,
    /// What is compared.
    pub(super) compared: Spread,
}

use Adapter::{Cluster, Nats, Redis};
use Scenario::{
    Crossing, Elsewhere, Fanout, Few, Fresh, Here, Interest, Latency, Occupied, Sparse,
};

/// All, in the order of the page.
fn bars() -> Vec<Bar> {
    let alone = Against::Setup(ALONE);
    let mut all = Vec::new();
    let mut add = |label, of, scenario, figure, against, limit| {
        all.push(Bar { label, of, scenario, figure, against, limit });
    };
    for adapter in Adapter::JOINING {
        let of = adapter.of(2);
        let limit = (adapter == Redis).then_some(AtLeast(0.9));
        add("Connects/s, occupied channels", of, Occupied, "cycles_per_s", alone, limit);
        add("Connects/s, fresh channels", of, Fresh, "cycles_per_s", alone, limit);
        add("Connects/s, fresh channels, few at a time", of, Few, "cycles_per_s", alone, None);
        add("CPU per connect, occupied", of, Occupied, "cpu_us_per_cycle", alone, None);
        add("CPU per connect, fresh", of, Fresh, "cpu_us_per_cycle", alone, None);
    }
    let (figure, nothing) = ("messages_per_subscribe", Against::Nothing);
    for adapter in [Redis, Nats] {
        let of = adapter.of(2);
        // Counts of subscribers ride the heartbeats, which may be a few more packets then.
        let limit = Some(AtMost(0.01));
        add("Messages per subscribe, occupied", of, Occupied, figure, nothing, limit);
        add("Messages per subscribe, fresh", of, Fresh, figure, nothing, None);
    }
    for (adapter, allowed, limit) in [
        (Cluster, Against::Allowed(1.5, 300.0), Some(AtMost(1.0))),
        (Redis, Against::Allowed(2.0, 500.0), Some(AtMost(1.0))),
        (Nats, alone, None),
    ] {
        add("p50 latency, us", adapter.of(2), Latency, "delivery_p50_us", alone, None);
        add("p99 latency, us", adapter.of(2), Latency, "delivery_p99_us", allowed, limit);
    }
    for adapter in [Redis, Nats] {
        // Once, and what belongs to an event besides its data.
        let limit = Some(AtMost(1.05));
        add(
            "Crossings per event for elsewhere",
            adapter.of(4),
            Crossing,
            "crossings",
            nothing,
            limit,
        );
    }
    let (two, four) = (Cluster.of(2).single(), Cluster.of(4).single());
    let single = Against::Setup(ALONE.single());
    let (cpu, flat) = ("cpu_us_per_publish", Some(AtMost(1.15)));
    add("CPU per event to one", two, Interest, cpu, single, None);
    add("CPU per event to one", four, Interest, cpu, single, None);
    add("CPU per event to one", four, Interest, cpu, Against::Setup(two), flat);
    let label = "CPU per event to one, few in flight";
    add(label, two, Sparse, cpu, nothing, None);
    add(label, four, Sparse, cpu, Against::Setup(two), flat);
    let label = "CPU per event to one, none elsewhere";
    add(label, two, Here, cpu, nothing, None);
    add(label, four, Here, cpu, Against::Setup(two), None);
    let label = "CPU per event to one, 3/4 elsewhere";
    add(label, two, Elsewhere, cpu, nothing, None);
    add(label, four, Elsewhere, cpu, Against::Setup(two), flat);
    add(
        "The same without what more processes cost",
        four,
        Elsewhere,
        cpu,
        Against::Beyond(two, Here),
        flat,
    );
    for adapter in Adapter::JOINING {
        let of = adapter.of(3);
        add("Deliveries/s, one channel", of, Fanout, "deliveries_per_s", alone, None);
        add("CPU per delivery, one channel", of, Fanout, "cpu_us_per_delivery", alone, None);
    }
    all
}

/// Everything that was measured.
pub(super) fn judge(results: &Results) -> Vec<Verdict> {
    let verdict = |bar: Bar| {
        let value = results.spread(bar.scenario, bar.of, bar.figure)?;
        let ratio = |other, of: &dyn Fn(f64) -> f64| {
            results.ratio(bar.scenario, bar.figure, [bar.of, other], of)
        };
        let compared = match bar.against {
            Against::Setup(other) => ratio(other, &|other| other)?,
            Against::Allowed(times, more) => ratio(ALONE, &|alone| times * alone + more)?,
            Against::Beyond(other, scenario) => {
                results.beyond([bar.scenario, scenario], bar.figure, [bar.of, other])?
            }
            Against::Nothing => value,
        };
        Some(Verdict { bar, value, compared })
    };
    bars().into_iter().filter_map(verdict).collect()
}

impl Verdict {
    /// Whether the median is on the right side of the bar; in words.
    pub(super) fn met(&self) -> &'static str {
        match self.bar.limit.map(|limit| limit.is_met_by(self.compared.median)) {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        }
    }
}

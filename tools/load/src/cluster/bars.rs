//! The figures that several nodes are held to, and those that are shown beside them.

use super::ALONE;
use super::Scenario::{
    self, Crossing, Elsewhere, Fanout, Few, Fresh, Here, Interest, Latency, Occupied, Sparse,
};
use crate::comparison::bars::Limit::{AtLeast, AtMost};
use crate::comparison::bars::{Bar, Baseline};
use crate::comparison::setup::Adapter::{self, Cluster, Local, Nats, Redis};

/// All, in the order of the page.
pub(super) fn all() -> Vec<Bar<Scenario>> {
    let alone = || Baseline::Setup(ALONE);
    let mut all = Vec::new();
    let mut add = |label, setup, scenario, figure, baseline, limit| {
        all.push(Bar { label, setup, scenario, figure, baseline, limit });
    };
    for adapter in Adapter::JOINING {
        let setup = adapter.nodes(2);
        let limit = (adapter == Redis).then_some(AtLeast(0.9));
        add("Connects/s, occupied channels", setup, Occupied, "cycles_per_s", alone(), limit);
        add("Connects/s, fresh channels", setup, Fresh, "cycles_per_s", alone(), limit);
        add("Connects/s, fresh channels, few at a time", setup, Few, "cycles_per_s", alone(), None);
        add("CPU per connect, occupied", setup, Occupied, "cpu_us_per_cycle", alone(), None);
        add("CPU per connect, fresh", setup, Fresh, "cpu_us_per_cycle", alone(), None);
    }
    let figure = "messages_per_subscribe";
    let plain = || Baseline::Nothing("");
    for adapter in [Redis, Nats] {
        let setup = adapter.nodes(2);
        // Counts of subscribers ride the heartbeats, which may be a few more packets then.
        let limit = Some(AtMost(0.01));
        add("Messages per subscribe, occupied", setup, Occupied, figure, plain(), limit);
        add("Messages per subscribe, fresh", setup, Fresh, figure, plain(), None);
    }
    for (adapter, allowed, limit) in [
        (Cluster, Baseline::Allowed(ALONE, 1.5, 300.0), Some(AtMost(1.0))),
        (Redis, Baseline::Allowed(ALONE, 2.0, 500.0), Some(AtMost(1.0))),
        (Nats, alone(), None),
    ] {
        add("p50 latency, us", adapter.nodes(2), Latency, "delivery_p50_us", alone(), None);
        add("p99 latency, us", adapter.nodes(2), Latency, "delivery_p99_us", allowed, limit);
    }
    for adapter in [Redis, Nats] {
        // Once, and what belongs to an event besides its data.
        let limit = Some(AtMost(1.05));
        add(
            "Crossings per event for elsewhere",
            adapter.nodes(4),
            Crossing,
            "crossings",
            plain(),
            limit,
        );
    }
    let (two, four) = (Cluster.one_thread_nodes(2), Cluster.one_thread_nodes(4));
    let single = || Baseline::Setup(Local.one_thread_nodes(1));
    let with_two = || Baseline::Setup(two);
    let (cpu, flat) = ("cpu_us_per_publish", Some(AtMost(1.15)));
    add("CPU per event to one", two, Interest, cpu, single(), None);
    add("CPU per event to one", four, Interest, cpu, single(), None);
    add("CPU per event to one", four, Interest, cpu, with_two(), flat);
    let label = "CPU per event to one, few in flight";
    add(label, two, Sparse, cpu, plain(), None);
    add(label, four, Sparse, cpu, with_two(), flat);
    let label = "CPU per event to one, none elsewhere";
    add(label, two, Here, cpu, plain(), None);
    add(label, four, Here, cpu, with_two(), None);
    let label = "CPU per event to one, 3/4 elsewhere";
    add(label, two, Elsewhere, cpu, plain(), None);
    add(label, four, Elsewhere, cpu, with_two(), flat);
    add(
        "The same without what more processes cost",
        four,
        Elsewhere,
        cpu,
        Baseline::Beyond(two, Here),
        flat,
    );
    for adapter in Adapter::JOINING {
        let setup = adapter.nodes(3);
        add("Deliveries/s, one channel", setup, Fanout, "deliveries_per_s", alone(), None);
        add("CPU per delivery, one channel", setup, Fanout, "cpu_us_per_delivery", alone(), None);
    }
    all
}

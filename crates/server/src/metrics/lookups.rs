//! What looking apps up costs and comes to; nothing where all apps are known.

use super::exposition::Metric;
use super::exposition::MetricKind::{Counter, Histogram};
use crate::apps::LookupNumbers;
use crate::node::Node;

pub(super) fn metrics(node: &Node) -> Vec<Metric> {
    let Some(numbers) = node.apps.numbers() else { return Vec::new() };
    let LookupNumbers { outcomes, queries, failures, took, unknown, waiting, up } = numbers;
    let gauge = |name, help, value: usize| Metric::gauge(name, help, value as f64);
    let outcomes =
        outcomes.map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count as f64));
    vec![
        Metric::new(Counter, "app_lookups_total", "Apps asked for, by what became of it")
            .values(outcomes),
        Metric::new(Histogram, "app_store_query_seconds", "How long the store of apps took")
            .histogram(&vec![], [], queries, took.as_secs_f64()),
        Metric::counter("app_store_failures_total", "Queries without an answer", failures),
        gauge("app_store_up", "Whether the last query had an answer", usize::from(up)),
        gauge("known_apps", "Apps that are known", node.apps.len()),
        gauge("unknown_apps", "Ids and keys that are known not to be there", unknown),
        gauge("app_lookups_waiting", "Ids and keys that somebody waits for", waiting),
    ]
}

//! What keeping last events in Redis comes to; nothing where they are in memory only.

use super::exposition::Metric;
use super::exposition::MetricKind::Counter;
use crate::node::Node;
use crate::shared_cache::SharedNumbers;

pub(super) fn metrics(node: &Node) -> Vec<Metric> {
    let Some(shared) = &node.outside().shared_cache else { return Vec::new() };
    let SharedNumbers { up, writes, dropped, reads, unwritten, questions } = shared.numbers();
    let gauge = |name, help, value: usize| Metric::gauge(name, help, value as f64);
    let counter = Metric::counter;
    let reads = reads.map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count as f64));
    vec![
        gauge("cache_redis_up", "Whether Redis can be reached for last events", usize::from(up)),
        counter("cache_redis_writes_total", "Last events written to Redis", writes),
        counter("cache_redis_dropped_total", "Last events that Redis never got", dropped),
        Metric::new(Counter, "cache_redis_reads_total", "Last events asked for, by outcome")
            .values(reads),
        gauge("cache_redis_unwritten", "Channels whose last event is to be written", unwritten),
        gauge("cache_redis_questions", "Channels that Redis is asked for", questions),
    ]
}

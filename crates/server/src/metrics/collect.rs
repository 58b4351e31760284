//! Everything that the node tells, in one reviewable place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::exposition::MetricKind::{Counter, Gauge, Histogram};
use super::exposition::{Labels, Metric};
use super::{cache, cluster, lookups, process, webhooks};
use crate::apps::{App, AppCounters};
use crate::inbox::{ShardReport, reports};
use crate::node::Node;
use crate::peers::Membership;
use crate::stats::{Refusal, TURN_BUCKETS, panics};

/// How long a shard may take to answer; one that is busier is left out.
const SHARD_TIMEOUT: Duration = Duration::from_secs(2);

/// All metrics.
pub(super) async fn collect(node: &Node, membership: Option<&Membership>) -> Vec<Metric> {
    let mut metrics = of_apps(node);
    metrics.extend(lookups::metrics(node));
    metrics.extend(cache::metrics(node));
    metrics.extend(cluster::metrics(node, membership).await);
    metrics.extend(not_clustered());
    metrics.extend(webhooks::metrics(node).await);
    metrics.extend(of_shards(node, &reports(node.inboxes(), SHARD_TIMEOUT).await));
    metrics.extend(of_node(node));
    metrics.extend(process::metrics());
    metrics
}

type AppCounter = (&'static str, &'static str, fn(&AppCounters) -> &AtomicU64);

const APP_COUNTERS: [AppCounter; 11] = [
    ("new_connections_total", "Connections opened", |c| &c.new_connections),
    ("new_disconnections_total", "Connections ended", |c| &c.new_disconnections),
    ("socket_received_bytes", "Bytes received over WebSockets", |c| &c.socket_received_bytes),
    ("socket_transmitted_bytes", "Bytes sent over WebSockets", |c| &c.socket_transmitted_bytes),
    ("ws_messages_received_total", "WebSocket messages received", |c| &c.ws_messages_received),
    ("ws_messages_sent_total", "WebSocket messages sent", |c| &c.ws_messages_sent),
    ("http_received_bytes", "Bytes of HTTP request bodies", |c| &c.http_received_bytes),
    ("http_transmitted_bytes", "Bytes of HTTP response bodies", |c| &c.http_transmitted_bytes),
    ("http_calls_received_total", "HTTP API calls", |c| &c.http_calls_received),
    ("publishes_total", "Events taken in, one for each channel", |c| &c.publishes),
    ("deliveries_total", "Events handed to connections", |c| &c.deliveries),
];

fn of_apps(node: &Node) -> Vec<Metric> {
    let apps = node.apps.all();
    let labels = |app: &App| -> Labels {
        vec![("app_id", app.id.to_string()), ("port", node.port.to_string())]
    };
    let connected = |app: &Arc<App>| (labels(app), f64::from(app.connections()));
    let mut metrics = vec![
        Metric::new(Gauge, "connected", "Connections at this moment")
            .values(apps.iter().map(connected)),
    ];
    metrics.extend(APP_COUNTERS.iter().map(|(name, help, counter)| {
        let value = |app: &Arc<App>| (labels(app), counter(&app.counters).load(Relaxed) as f64);
        Metric::new(Counter, name, help).values(apps.iter().map(value))
    }));
    metrics
}

/// soketi's metrics of requests between nodes. No node asks another anything, so they stay 0.
fn not_clustered() -> Vec<Metric> {
    const NAMES: [&str; 5] = [
        "horizontal_adapter_resolved_promises",
        "horizontal_adapter_uncomplete_promises",
        "horizontal_adapter_sent_requests",
        "horizontal_adapter_received_requests",
        "horizontal_adapter_received_responses",
    ];
    let help = "Always 0: nodes do not ask each other";
    let zero = |name: &&'static str| Metric::new(Counter, name, help).value(vec![], 0.0);
    let mut metrics: Vec<Metric> = NAMES.iter().map(zero).collect();
    metrics.push(Metric::new(Histogram, "horizontal_adapter_resolve_time", help).histogram(
        &vec![],
        [],
        0,
        0.0,
    ));
    metrics
}

type ShardGauge = (&'static str, &'static str, fn(&ShardReport) -> usize);

const SHARD_GAUGES: [ShardGauge; 6] = [
    ("shard_connections", "Connections in a shard's table", |r| r.connections),
    ("shard_channels", "Channels in a shard's table", |r| r.channels),
    ("shard_subscriptions", "Subscriptions in a shard's table", |r| r.subscriptions),
    ("shard_timers", "Deadlines in a shard's timing wheel", |r| r.timers),
    ("pending_bytes", "Bytes that wait for slow sockets", |r| r.pending_bytes),
    ("http_connections", "Sockets that speak HTTP", |r| r.http_connections),
];

fn of_shards(node: &Node, reports: &[Option<ShardReport>]) -> Vec<Metric> {
    let label = |shard: usize| -> Labels { vec![("shard", shard.to_string())] };
    let mut metrics: Vec<Metric> = SHARD_GAUGES
        .iter()
        .map(|(name, help, gauge)| {
            let values = reports
                .iter()
                .enumerate()
                .filter_map(|(shard, report)| Some((label(shard), gauge(report.as_ref()?) as f64)));
            Metric::new(Gauge, name, help).values(values)
        })
        .collect();

    let depths: Vec<(usize, usize)> = node.inboxes().iter().map(|inbox| inbox.depth()).collect();
    let each = |of: fn(&(usize, usize)) -> usize| {
        let values = depths.iter().enumerate().map(move |(s, depth)| (label(s), of(depth) as f64));
        values.collect::<Vec<_>>()
    };
    metrics.push(
        Metric::new(Gauge, "inbox_events", "Operations in a shard's inbox")
            .values(each(|depth| depth.0)),
    );
    metrics.push(
        Metric::new(Gauge, "inbox_bytes", "Bytes of frames in a shard's inbox")
            .values(each(|depth| depth.1)),
    );
    let turns = Metric::new(Histogram, "shard_turn_seconds", "How long a shard's turns took");
    let turns = node.stats.turns.iter().enumerate().fold(turns, |metric, (shard, turns)| {
        let counts = turns.buckets.iter().map(|count| count.load(Relaxed));
        let sum = turns.nanos.load(Relaxed) as f64 / 1e9;
        let buckets = TURN_BUCKETS.into_iter().zip(counts);
        metric.histogram(&label(shard), buckets, turns.count.load(Relaxed), sum)
    });
    metrics.push(turns);
    metrics
}

fn of_node(node: &Node) -> Vec<Metric> {
    let refused = Refusal::ALL.iter().map(|reason| {
        let count = node.stats.refused[*reason as usize].load(Relaxed);
        (vec![("reason", reason.name().to_owned())], count as f64)
    });
    let (cached, cached_bytes) = node.channels.last_events().size();
    let gauge = |name, help, value: usize| Metric::gauge(name, help, value as f64);
    let counter = Metric::counter;
    let sizes = node.channels.sizes();
    let dropped = node.stats.dropped_peer_events.load(Relaxed);
    let slow = node.stats.slow_consumers.load(Relaxed);
    vec![
        Metric::new(Counter, "rejected_connections_total", "Connections refused").values(refused),
        counter("slow_consumers_total", "Connections closed for reading too slowly", slow),
        counter(
            "peer_events_dropped_total",
            "Other nodes' events for which there was no room",
            dropped,
        ),
        counter("panics_total", "Bugs that ended one task", panics()),
        gauge("registry_channels", "Channels in the registry", node.channels.registry().len()),
        gauge("cached_events", "Events kept for cache channels", cached),
        gauge("cached_bytes", "Bytes of events kept for cache channels", cached_bytes),
        gauge(
            "held_back_counts",
            "Busy channels whose subscription count was said lately",
            sizes.held_back_counts,
        ),
        gauge("quota_wishes", "Connections that wait for a place", sizes.slot_requests),
        gauge("quotas", "Apps whose connections are limited and counted", sizes.quotas),
        gauge(
            "place_applicants",
            "Connections that wait for a place in a channel",
            sizes.place_applicants,
        ),
        counter(
            "unanswered_claims_total",
            "Places in presence channels decided without every node's answer",
            sizes.unanswered_claims,
        ),
        gauge("websocket_limit", "WebSockets that fit", node.descriptors.websocket_limit()),
        gauge("ready", "Whether new work is taken", usize::from(node.readiness.is_ready())),
        gauge(
            "draining",
            "Whether the node is on its way out",
            usize::from(node.readiness.is_draining()),
        ),
    ]
}

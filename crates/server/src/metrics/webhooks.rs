//! What becomes of webhooks.

use std::time::Duration;

use ::webhooks::{BUCKETS, TargetCounters};

use super::exposition::MetricKind::{Counter, Gauge, Histogram};
use super::exposition::{Labels, Metric};
use crate::node::Node;
use crate::webhooks::{JobProducer, WebhookMetrics};

/// How long the queue may take to say how much is in it.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(1);

/// All of it, as far as this process has to do with it.
pub(super) async fn metrics(node: &Node) -> Vec<Metric> {
    let (gauge, counter) = (Metric::gauge, Metric::counter);
    let (waiting, lost) = node.outside().notes.waiting_and_lost();
    let mut metrics = vec![
        gauge("webhook_notices", "What happened and was not looked at yet", waiting as f64),
        counter("webhook_notices_lost_total", "What happened and had no room", lost),
    ];
    let Some(WebhookMetrics { sender, producer }) = node.webhook_metrics.get() else {
        return metrics;
    };
    if let Some(sender) = sender {
        metrics.extend(of_targets(&sender.counters()));
    }
    if let Some(producer) = producer {
        metrics.extend(of_queue(producer).await);
    }
    metrics
}

fn of_targets(targets: &[TargetCounters]) -> Vec<Metric> {
    let labels = |of: &TargetCounters| -> Labels {
        vec![("app_id", of.app.to_string()), ("target", of.target.to_string())]
    };
    let with = |of: &TargetCounters, name, value: &str| {
        let mut labels = labels(of);
        labels.push((name, value.to_owned()));
        labels
    };
    let attempts = targets.iter().flat_map(|of| {
        let classes = of.attempts.classes().into_iter();
        classes.map(|(class, count)| (with(of, "outcome", class), count as f64))
    });
    let given_up = targets.iter().flat_map(|of| {
        let reasons = of.given_up.reasons().into_iter();
        reasons.map(|(reason, count)| (with(of, "reason", reason), count as f64))
    });
    let each = |kind, name, help, value: fn(&TargetCounters) -> f64| {
        Metric::new(kind, name, help).values(targets.iter().map(|of| (labels(of), value(of))))
    };
    let latency = Metric::new(Histogram, "webhook_attempt_seconds", "How long requests took");
    let latency = targets.iter().fold(latency, |metric, of| {
        let buckets = BUCKETS.into_iter().zip(of.latency.buckets);
        metric.histogram(&labels(of), buckets, of.latency.count, of.latency.sum.as_secs_f64())
    });
    vec![
        Metric::new(Counter, "webhook_attempts_total", "Requests, by what came of them")
            .values(attempts),
        Metric::new(Counter, "webhooks_given_up_total", "Webhooks that will not arrive")
            .values(given_up),
        each(Counter, "webhook_events_delivered_total", "Events that arrived", |of| {
            of.events_delivered as f64
        }),
        each(Counter, "webhook_events_given_up_total", "Events that will not arrive", |of| {
            of.events_given_up as f64
        }),
        each(Gauge, "webhooks_pending", "Webhooks that wait here or are under way", |of| {
            of.pending_jobs as f64
        }),
        each(Gauge, "webhooks_pending_bytes", "Bytes of webhooks that wait here", |of| {
            of.pending_bytes as f64
        }),
        each(Gauge, "webhooks_oldest_seconds", "How long the oldest has been here", |of| {
            of.oldest.as_secs_f64()
        }),
        latency,
    ]
}

async fn of_queue(producer: &JobProducer) -> Vec<Metric> {
    let (gauge, counter) = (Metric::gauge, Metric::counter);
    let (waiting, lost, refused) = producer.numbers();
    let counts = producer.queue().counters();
    let mut metrics = vec![
        gauge(
            "queue_up",
            "Whether the queue answered the last time",
            f64::from(u8::from(counts.is_up)),
        ),
        gauge("queue_feed", "Webhooks that are not in the queue yet", waiting as f64),
        counter("queue_feed_lost_total", "Webhooks that had no room on their way to it", lost),
        counter("queue_refused_total", "Webhooks that the queue did not take", refused),
        counter("queue_pushed_total", "Webhooks put into the queue", counts.pushed),
        counter("queue_handed_out_total", "Webhooks taken out, each time", counts.handed_out),
        counter("queue_done_total", "Webhooks done", counts.done),
        counter(
            "queue_taken_over_total",
            "Webhooks that another worker had before",
            counts.taken_over,
        ),
        counter("queue_errors_total", "Calls of the queue that failed", counts.errors),
    ];
    let depth = tokio::time::timeout(QUEUE_TIMEOUT, producer.queue().depth()).await;
    if let Ok(Ok(depth)) = depth {
        metrics.push(gauge("queue_jobs", "Webhooks in the queue, of all nodes", depth.jobs as f64));
        if let Some(oldest) = depth.oldest {
            let help = "How long the oldest of them has been there";
            metrics.push(gauge("queue_oldest_seconds", help, oldest.as_secs_f64()));
        }
    }
    metrics
}

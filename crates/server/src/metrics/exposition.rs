//! Metrics as text and as JSON: one list, two renderings. The text is Prometheus' exposition format
//! 0.0.4; the JSON has the shape of prom-client, as soketi's `?json=1` has.

use std::fmt::Write;

use serde_json::{Value, json};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

impl MetricKind {
    fn name(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }
}

/// One value of a metric.
#[derive(Debug)]
struct Sample {
    /// What follows the metric's name: `_bucket`, `_sum`, `_count`, or nothing.
    suffix: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

/// All values of one name.
#[derive(Debug)]
pub(super) struct Metric {
    name: &'static str,
    help: &'static str,
    kind: MetricKind,
    samples: Vec<Sample>,
}

/// Labels of a value.
pub(super) type Labels = Vec<(&'static str, String)>;

impl Metric {
    pub(super) fn new(kind: MetricKind, name: &'static str, help: &'static str) -> Self {
        Metric { name, help, kind, samples: Vec::new() }
    }

    /// What there is of something now.
    pub(super) fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Metric::new(MetricKind::Gauge, name, help).value(vec![], value)
    }

    /// How often something has happened.
    pub(super) fn counter(name: &'static str, help: &'static str, count: u64) -> Self {
        Metric::new(MetricKind::Counter, name, help).value(vec![], count as f64)
    }

    /// Adds a value.
    pub(super) fn value(mut self, labels: Labels, value: f64) -> Self {
        self.samples.push(Sample { suffix: "", labels, value });
        self
    }

    /// Adds a value for each of several things.
    pub(super) fn values(mut self, values: impl IntoIterator<Item = (Labels, f64)>) -> Self {
        let samples =
            values.into_iter().map(|(labels, value)| Sample { suffix: "", labels, value });
        self.samples.extend(samples);
        self
    }

    /// Adds a histogram; `buckets` are bounds and the counts between them, not summed up.
    pub(super) fn histogram(
        mut self,
        labels: &Labels,
        buckets: impl IntoIterator<Item = (f64, u64)>,
        count: u64,
        sum: f64,
    ) -> Self {
        let mut below = 0;
        let with_bound = |bound: String| {
            let mut labels = labels.clone();
            labels.push(("le", bound));
            labels
        };
        for (bound, within) in buckets {
            below += within;
            let labels = with_bound(bound.to_string());
            self.samples.push(Sample { suffix: "_bucket", labels, value: below as f64 });
        }
        let labels_of_all = with_bound("+Inf".into());
        let all = count as f64;
        self.samples.push(Sample { suffix: "_bucket", labels: labels_of_all, value: all });
        self.samples.push(Sample { suffix: "_sum", labels: labels.clone(), value: sum });
        self.samples.push(Sample { suffix: "_count", labels: labels.clone(), value: all });
        self
    }
}

/// The text form.
pub(super) fn text(prefix: &str, metrics: &[Metric]) -> String {
    let mut out = String::new();
    for metric in metrics {
        let Metric { name, help, kind, samples } = metric;
        // Writing to a string does not fail.
        let _ = writeln!(out, "# HELP {prefix}{name} {help}");
        let _ = writeln!(out, "# TYPE {prefix}{name} {}", kind.name());
        for Sample { suffix, labels, value } in samples {
            let _ = write!(out, "{prefix}{name}{suffix}");
            let mut separator = '{';
            for (label, text) in labels {
                let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                let _ = write!(out, "{separator}{label}=\"{text}\"");
                separator = ',';
            }
            let end = if labels.is_empty() { "" } else { "}" };
            let _ = writeln!(out, "{end} {value}");
        }
    }
    out
}

/// The JSON form.
pub(super) fn as_json(prefix: &str, metrics: &[Metric]) -> Value {
    let metric = |metric: &Metric| {
        let name = format!("{prefix}{}", metric.name);
        let value = |sample: &Sample| {
            let labels = sample.labels.iter().map(|(label, text)| (label.to_string(), json!(text)));
            let mut value = json!({
                "value": sample.value,
                "labels": labels.collect::<serde_json::Map<_, _>>(),
            });
            if !sample.suffix.is_empty() {
                value["metricName"] = json!(format!("{name}{}", sample.suffix));
            }
            value
        };
        json!({
            "help": metric.help,
            "name": name,
            "type": metric.kind.name(),
            "values": metric.samples.iter().map(value).collect::<Vec<_>>(),
            "aggregator": "sum",
        })
    };
    Value::Array(metrics.iter().map(metric).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_help_type_and_escaped_labels() {
        let metrics = [
            Metric::new(MetricKind::Gauge, "connected", "Connections")
                .value(vec![("app_id", "a\"b\\c\nd".into()), ("port", "6001".into())], 3.0),
            Metric::new(MetricKind::Counter, "panics_total", "Bugs").value(vec![], 0.0),
        ];
        assert_eq!(
            text("soketi_", &metrics),
            "# HELP soketi_connected Connections\n# TYPE soketi_connected gauge\n\
             soketi_connected{app_id=\"a\\\"b\\\\c\\nd\",port=\"6001\"} 3\n\
             # HELP soketi_panics_total Bugs\n# TYPE soketi_panics_total counter\n\
             soketi_panics_total 0\n"
        );
    }

    #[test]
    fn a_histogram_sums_its_buckets_up() {
        let labels: Labels = vec![("shard", "0".into())];
        let metric = Metric::new(MetricKind::Histogram, "turn", "Turns").histogram(
            &labels,
            [(0.1, 2), (1.0, 3)],
            6,
            9.5,
        );
        let text = text("", &[metric]);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "turn_bucket{shard=\"0\",le=\"0.1\"} 2",
                "turn_bucket{shard=\"0\",le=\"1\"} 5",
                "turn_bucket{shard=\"0\",le=\"+Inf\"} 6",
                "turn_sum{shard=\"0\"} 9.5",
                "turn_count{shard=\"0\"} 6",
            ]
        );
    }
}

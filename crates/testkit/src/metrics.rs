//! The metrics page, read as Prometheus reads it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::TEST_TIMEOUT;
use crate::http::Http;

/// Values by name and labels.
#[derive(Clone, Debug)]
pub struct Metrics(BTreeMap<String, f64>);

/// The gauges that are 0 when nobody is connected.
const TABLES: [&str; 10] = [
    "connected",
    "shard_connections",
    "shard_channels",
    "shard_subscriptions",
    "shard_timers",
    "pending_bytes",
    "http_connections",
    "registry_channels",
    "place_applicants",
    "inbox_bytes",
];

impl Metrics {
    /// Reads them now.
    pub fn scrape(address: SocketAddr) -> Self {
        let answer = Http::connect(address).ask("GET", "/metrics", &[], b"");
        assert_eq!(answer.status, 200);
        let text = answer.text();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let value = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let name = name.strip_prefix("soketi_").unwrap_or(name);
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
        };
        Metrics(lines.map(value).collect())
    }

    /// The sum over all labels; the metric must exist.
    pub fn sum(&self, name: &str) -> f64 {
        let of = |key: &str| key.split('{').next() == Some(name);
        let found: Vec<f64> = self.0.iter().filter(|(k, _)| of(k)).map(|(_, v)| *v).collect();
        assert!(!found.is_empty(), "there is no metric {name}");
        found.iter().sum()
    }

    /// The value with this label, such as `reason="quota"`.
    pub fn labelled(&self, name: &str, label: &str) -> f64 {
        let of = |key: &str| key.split('{').next() == Some(name) && key.contains(label);
        self.0.iter().filter(|(key, _)| of(key)).map(|(_, value)| *value).sum()
    }

    /// Whether no table holds anything.
    pub fn is_empty(&self) -> bool {
        TABLES.iter().all(|table| self.sum(table) == 0.0)
    }
}

/// Waits until the metrics are as they should be.
pub fn wait_for(address: SocketAddr, what: &str, fits: impl Fn(&Metrics) -> bool) -> Metrics {
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let metrics = Metrics::scrape(address);
        if fits(&metrics) {
            return metrics;
        }
        assert!(Instant::now() < deadline, "not within {TEST_TIMEOUT:?}: {what}\n{metrics:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

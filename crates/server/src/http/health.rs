//! Whether the node lives, is ready, and has memory to spare.

use std::fs;

use super::answer::{Answer, json, text};
use crate::node::Node;

/// Why a node does not serve that cannot reach the others.
pub(super) const NOT_JOINED: &str =
    "This node is not part of its cluster yet, the log says what it waits for";

/// Memory in use and the limit, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) used: u64,
    pub(crate) total: u64,
}

impl Memory {
    /// The share in use, in percent.
    pub(crate) fn percent(self) -> f64 {
        if self.total == 0 { 0.0 } else { self.used as f64 / self.total as f64 * 100.0 }
    }
}

/// `GET /ready`: whether new work should be sent here.
pub(super) fn ready(node: &Node) -> Answer {
    match unready(node) {
        Some(reason) => text(503, reason),
        None => text(200, "OK"),
    }
}

/// Why no new work should be sent here, if so.
pub(crate) fn unready(node: &Node) -> Option<String> {
    let (linked, wanted) = (node.channels.ready_peers(), node.config.cluster.min_peers);
    if !node.readiness.has_joined() {
        return Some(NOT_JOINED.to_owned());
    }
    if node.readiness.is_draining() {
        return Some("The server is closing, choose another one!".to_owned());
    }
    if !node.readiness.is_ready() {
        return Some("The server does not listen yet".to_owned());
    }
    // One that has been reached and is away later does not count: what is known of it serves.
    if let Some(store) = node.apps.unreached_store() {
        return Some(format!("The apps are in {store}, which has not answered yet"));
    }
    if let Some(metrics) = node.webhook_metrics.get().filter(|_| !node.serves_clients())
        && !metrics.queue_is_up()
    {
        return Some("The queue cannot be reached, the log says why".to_owned());
    }
    if linked < wanted && node.is_clustered() {
        let message =
            format!("Linked to {linked} other nodes, {wanted} are wanted (cluster.minPeers)");
        return Some(message);
    }
    None
}

/// `GET /up`, as Laravel Reverb answers.
pub(super) fn up() -> Answer {
    json(200, r#"{"health":"OK"}"#)
}

/// `GET /accept-traffic`: whether there is memory for more.
pub(super) fn accept_traffic(node: &Node) -> Answer {
    let threshold = node.config.http.memory_threshold;
    if !node.readiness.is_ready() || node.apps.unreached_store().is_some() {
        return ready(node);
    }
    match memory() {
        Some(memory) if memory.percent() > threshold => {
            let message = format!(
                "Memory in use is {:.1} %, above httpApi.acceptTraffic.memoryThreshold = {threshold} %",
                memory.percent()
            );
            text(500, message)
        }
        _ => text(200, "OK"),
    }
}

/// Memory of the container if it is limited, else of the machine.
pub(crate) fn memory() -> Option<Memory> {
    let group = cgroup();
    let machine = machine(&fs::read_to_string("/proc/meminfo").ok()?);
    match (group, machine) {
        (Some(group), Some(machine)) if group.total < machine.total => Some(group),
        (_, machine) => machine,
    }
}

fn machine(meminfo: &str) -> Option<Memory> {
    let of = |name: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
    };
    let total = of("MemTotal")?;
    Some(Memory { used: total.saturating_sub(of("MemAvailable")?), total })
}

/// The limit of our control group, version 2 or 1; none if there is no limit. Page cache that can
/// be given back does not count as used.
fn cgroup() -> Option<Memory> {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let reclaimable = |path: &str| {
        let stat = fs::read_to_string(path).unwrap_or_default();
        let line = stat.lines().find_map(|line| {
            line.strip_prefix("inactive_file ").or(line.strip_prefix("total_inactive_file "))
        });
        line.and_then(|bytes| bytes.parse::<u64>().ok()).unwrap_or(0)
    };
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let v2 = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    for folder in [format!("/sys/fs/cgroup{v2}"), "/sys/fs/cgroup".to_owned()] {
        let folder = folder.trim_end_matches('/');
        if let Some(total) = number(&format!("{folder}/memory.max")) {
            let used = number(&format!("{folder}/memory.current"))?;
            let used = used.saturating_sub(reclaimable(&format!("{folder}/memory.stat")));
            return Some(Memory { used, total });
        }
    }
    let folder = "/sys/fs/cgroup/memory";
    let total = number(&format!("{folder}/memory.limit_in_bytes"))?;
    let used = number(&format!("{folder}/memory.usage_in_bytes"))?;
    let used = used.saturating_sub(reclaimable(&format!("{folder}/memory.stat")));
    Some(Memory { used, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_available_is_not_in_use() {
        let meminfo = "MemTotal:       1000 kB\nMemFree: 10 kB\nMemAvailable:    250 kB\n";
        let memory = machine(meminfo).unwrap();
        assert_eq!(memory, Memory { used: 750 * 1024, total: 1000 * 1024 });
        assert_eq!(memory.percent(), 75.0);
    }

    #[test]
    fn a_strange_meminfo_is_no_memory() {
        assert_eq!(machine("MemTotal: many kB\n"), None);
    }
}

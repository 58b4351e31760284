//! The `process_*` family, from /proc.

use std::fs;

use super::exposition::Metric;
use super::exposition::MetricKind::{Counter, Gauge};

/// What the kernel says about this process; a figure that it does not give is left out.
pub(super) fn metrics() -> Vec<Metric> {
    let mut metrics = Vec::new();
    let mut add = |kind, name, help, value: Option<f64>| {
        metrics.extend(value.map(|value| Metric::new(kind, name, help).value(vec![], value)));
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let (user, system) = (field(&stat, 14), field(&stat, 15));
    let seconds = |ticks_used: Option<f64>| ticks_used.map(|used| used / ticks);
    let both = user.zip(system).map(|(user, system)| user + system);

    let cpu = Counter;
    add(cpu, "process_cpu_user_seconds_total", "User CPU time", seconds(user));
    add(cpu, "process_cpu_system_seconds_total", "System CPU time", seconds(system));
    add(cpu, "process_cpu_seconds_total", "CPU time", seconds(both));
    let now = Gauge;
    let started = seconds(field(&stat, 22)).zip(booted()).map(|(since, booted)| since + booted);
    add(now, "process_start_time_seconds", "Start, in seconds since 1970", started);
    let resident = bytes(&status, "VmRSS:");
    add(now, "process_resident_memory_bytes", "Memory in RAM", resident);
    let virtual_memory = bytes(&status, "VmSize:");
    add(now, "process_virtual_memory_bytes", "Address space", virtual_memory);
    add(now, "process_heap_bytes", "Data segment", bytes(&status, "VmData:"));
    let open = fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
    add(now, "process_open_fds", "Open file descriptors", open);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    add(now, "process_max_fds", "Limit of file descriptors", limit.map(|limit| limit as f64));
    metrics
}

/// A field of /proc/self/stat by its number in proc(5); what is in brackets may hold spaces.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(number - 3)?.parse().ok()
}

fn bytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<f64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024.0)
}

fn booted() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_hides_nothing() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 111 222 13 14 15 16 17 18 999 x";
        assert_eq!(field(stat, 14), Some(111.0));
        assert_eq!(field(stat, 22), Some(999.0));
    }

    #[test]
    fn this_process_has_memory_and_descriptors() {
        let text = super::super::exposition::text("", &metrics());
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds"] {
            assert!(text.contains(&format!("\n{name} ")), "{name} is missing in:\n{text}");
        }
    }
}

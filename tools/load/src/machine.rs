//! The machine that all this runs on.

use std::fs;
use std::thread::available_parallelism;

/// Its cores, CPU and kernel in words.
pub(crate) fn description() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version = kernel.trim().split('-').next().unwrap_or_default();
    let cores = available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}, Linux {version}", model.map_or("CPU unknown", |(_, name)| name))
}

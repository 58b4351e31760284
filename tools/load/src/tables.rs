//! Pieces of a page that all pages share, in Markdown: tables, spreads, faults, the machine.

use crate::report::{Figure, readable};
use crate::rounds::{Rounds, Spread};
use std::fmt::{Debug, Write};
use std::fs;
use std::thread::available_parallelism;

// Writing to a String cannot fail, so the results of `write!` are left aside below.

/// The machine that all this runs on.
pub(crate) fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version = kernel.trim().split('-').next().unwrap_or_default();
    let cores = available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}, Linux {version}", model.map_or("CPU unknown", |(_, name)| name))
}

/// `median (min–max)`.
pub(crate) fn spread(of: Spread) -> String {
    format!("{} ({}–{})", readable(of.median), readable(of.min), readable(of.max))
}

/// What went wrong, or that nothing did.
pub(crate) fn faults(failures: &[String]) -> String {
    if failures.is_empty() {
        return "No delivery was lost, repeated or out of order in any run.\n".to_owned();
    }
    let mut out = "What went wrong:\n\n".to_owned();
    for failure in failures {
        let _ = writeln!(out, "- {}", failure.replace('\n', " "));
    }
    out
}

/// Every figure of a scenario, a column for each of those contenders that were measured.
pub(crate) fn table<S: Copy + PartialEq + Debug, C: Copy + PartialEq + Debug>(
    results: &Rounds<S, C>,
    scenario: S,
    title: &str,
    contenders: &[(C, String)],
) -> String {
    let measured: Vec<_> =
        contenders.iter().filter(|(one, _)| results.has(scenario, *one)).collect();
    if measured.is_empty() {
        return String::new();
    }
    let mut out = format!("\n### {title}\n\n|");
    for (_, label) in &measured {
        let _ = write!(out, " | {label}");
    }
    let _ = writeln!(out, " |\n|---{}|", "|---:".repeat(measured.len()));
    for Figure { name, unit, .. } in results.figures(scenario) {
        let label = name.strip_suffix(&format!("_{unit}")).unwrap_or(name).replace('_', " ");
        let _ = write!(out, "| {label}{}{unit} ", if unit.is_empty() { "" } else { ", " });
        for (contender, _) in &measured {
            let value = results.spread(scenario, *contender, name);
            let text = value.map_or("-".to_owned(), |value| readable(value.median));
            let _ = write!(out, "| {text} ");
        }
        out.push_str("|\n");
    }
    out
}

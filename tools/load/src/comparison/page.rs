//! The page of a comparison, in Markdown.

use super::bars::{Limit, Verdict};
use super::results::{Results, Spread};
use super::{Comparison, Measurement};
use crate::report::{Figure, readable};
use std::fmt::{Debug, Write};

// Writing to a String cannot fail, so the results of `write!` are left aside below.

/// The whole page.
pub(super) fn write<S: Copy + PartialEq + Debug>(
    comparison: &Comparison<'_, S>,
    results: &Results<S>,
    verdicts: &[Verdict<'_, S>],
) -> String {
    let mut page = comparison.introduction.clone();
    if comparison.plot {
        let name = &comparison.options.name;
        let _ = write!(page, "![How {name} stands to its bars]({}.svg)\n\n", comparison.file);
    }
    page.push_str(&bars(comparison, verdicts));
    page.push_str(&faults(results.failures()));
    page.push_str("\n## All figures\n\nMedians over the rounds.\n");
    for measurement in &comparison.measurements {
        page.push_str(&figures(measurement, results, &comparison.options.name));
    }
    page
}

/// The bars, with a column for the setup if not all are of the same.
fn bars<S>(comparison: &Comparison<'_, S>, verdicts: &[Verdict<'_, S>]) -> String {
    let (name, all) = (&comparison.options.name, &comparison.bars);
    let several = all.iter().any(|bar| bar.setup != all[0].setup);
    let (head, line) = if several { (" nodes |", "---|") } else { ("", "") };
    let mut out =
        format!("| |{head} {name} | compared | bar | |\n|---|{line}---:|---:|---:|---|\n");
    for verdict in verdicts {
        let bar = verdict.bar;
        let (unit, limit) = (bar.baseline.unit(), bar.limit.map_or_else(String::new, Limit::text));
        let compared = format!("{} {unit}", spread(verdict.compared));
        let setup = if several { format!(" {} |", bar.setup.label(name)) } else { String::new() };
        let limit = if several { limit } else { format!("{limit} {unit}") };
        let met = match verdict.met() {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        let _ = writeln!(
            out,
            "| {} |{setup} {} | {} | {limit} | {met} |",
            bar.label,
            readable(verdict.value.median),
            compared.trim_end(),
        );
    }
    out.push('\n');
    out
}

/// `median (min–max)`.
fn spread(of: Spread) -> String {
    format!("{} ({}–{})", readable(of.median), readable(of.min), readable(of.max))
}

/// What went wrong, or that nothing did.
fn faults(failures: &[String]) -> String {
    if failures.is_empty() {
        return "No delivery was lost, repeated or out of order in any run.\n".to_owned();
    }
    let mut out = "What went wrong:\n\n".to_owned();
    for failure in failures {
        let _ = writeln!(out, "- {}", failure.replace('\n', " "));
    }
    out
}

/// Every figure of a scenario, a column for each setup that was measured.
fn figures<S: Copy + PartialEq + Debug>(
    measurement: &Measurement<'_, S>,
    results: &Results<S>,
    name: &str,
) -> String {
    let Measurement { scenario, title, setups, .. } = measurement;
    let measured: Vec<_> = setups.iter().filter(|one| results.has(*scenario, **one)).collect();
    if measured.is_empty() {
        return String::new();
    }
    let mut out = format!("\n### {title}\n\n|");
    for setup in &measured {
        let _ = write!(out, " | {}", setup.label(name));
    }
    let _ = writeln!(out, " |\n|---{}|", "|---:".repeat(measured.len()));
    for Figure { name, unit, .. } in results.figures(*scenario) {
        let label = name.strip_suffix(&format!("_{unit}")).unwrap_or(name).replace('_', " ");
        let _ = write!(out, "| {label}{}{unit} ", if unit.is_empty() { "" } else { ", " });
        for setup in &measured {
            let value = results.spread(*scenario, **setup, name);
            let text = value.map_or("-".to_owned(), |value| readable(value.median));
            let _ = write!(out, "| {text} ");
        }
        out.push_str("|\n");
    }
    out
}

//! The record, `counts` in this crate's folder, and what differs from it. It holds a line for each
//! operation; `functions` next to it has a file for each, which says where its instructions are.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::callgrind::{self, Count};
use crate::tools;

/// What an operation may cost more than recorded, in percent, before the check fails.
const TOLERANCE: f64 = 3.0;

/// What this crate keeps in the repository.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The file with the functions of an operation, as recorded.
pub(crate) fn recorded_functions(operation: &str) -> PathBuf {
    folder().join("functions").join(operation)
}

/// Replaces the record by these counts.
pub(crate) fn record(counts: &[Count]) -> Result<()> {
    let mut text =
        String::from("# Instructions per operation, by `cargo run -p guard -- --record`.\n");
    writeln!(text, "# {}", tools::version()?)?;
    for Count { name, instructions } in counts {
        writeln!(text, "{name:<24}{instructions:>10.0}")?;
    }
    let all = folder().join("functions");
    if all.exists() {
        fs::remove_dir_all(&all)?;
    }
    fs::create_dir_all(&all)?;
    for Count { name, .. } in counts {
        fs::copy(callgrind::functions_of(name)?, recorded_functions(name))?;
    }
    fs::write(folder().join("counts"), text)?;
    println!("recorded in tools/guard/counts");
    Ok(())
}

/// Says what differs from the record; false if something costs too much, or is not in it.
pub(crate) fn check(counts: &[Count]) -> Result<bool> {
    let path = folder().join("counts");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    let recorded = parse(&text);
    let verdicts: Vec<_> = counts.iter().map(|count| verdict(count, &recorded)).collect();
    for Verdict { says, .. } in verdicts.iter().filter(|verdict| !verdict.says.is_empty()) {
        println!("{says}");
    }
    let (here, there) = (tools::version()?, recorded_with(&text));
    if here != there && verdicts.iter().any(|verdict| !verdict.says.is_empty()) {
        println!("The record was made with {there}, and this is {here}: that may be why.");
    }
    let passed = verdicts.iter().all(|verdict| verdict.passed);
    if passed {
        println!("nothing costs {TOLERANCE} % more instructions than recorded");
    }
    Ok(passed)
}

struct Verdict {
    passed: bool,
    /// What is to be said about it, possibly nothing.
    says: String,
}

fn verdict(count: &Count, recorded: &HashMap<&str, f64>) -> Verdict {
    let Count { name, instructions } = count;
    let Some(before) = recorded.get(name) else {
        let says = format!("{name} is not recorded: cargo run -p guard -- --record");
        return Verdict { passed: false, says };
    };
    let percent = (instructions / before - 1.0) * 100.0;
    let difference = format!("{name}: {before} recorded, {instructions:.0} now, {percent:+.1} %");
    if percent >= TOLERANCE {
        let says = format!(
            "{difference}\n  why:   cargo run -p guard -- why {name}\n  lines: callgrind_annotate --auto=yes {}\n  meant: cargo run -p guard -- --record",
            callgrind::profile(name).unwrap_or_default().display()
        );
        Verdict { passed: false, says }
    } else if percent <= -TOLERANCE {
        let says = format!("{difference}; keep it so: cargo run -p guard -- --record");
        Verdict { passed: true, says }
    } else {
        Verdict { passed: true, says: String::new() }
    }
}

fn parse(record: &str) -> HashMap<&str, f64> {
    let lines = record.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs.filter_map(|(name, count)| Some((name, count.trim().parse().ok()?))).collect()
}

fn recorded_with(record: &str) -> &str {
    record.lines().nth(1).unwrap_or_default().trim_start_matches("# ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_on(instructions: f64) -> Verdict {
        let recorded = parse("# what it is\n# made with\nsubscribe      10000\n");
        verdict(&Count { name: "subscribe", instructions }, &recorded)
    }

    #[test]
    fn three_percent_more_fail_and_say_where_to_look() {
        let Verdict { passed, says } = verdict_on(10_300.0);
        assert!(!passed);
        assert!(says.starts_with("subscribe: 10000 recorded, 10300 now, +3.0 %\n"), "{says}");
        assert!(says.contains("cargo run -p guard -- why subscribe\n"), "{says}");
        assert!(verdict_on(10_299.0).passed);
        assert_eq!(verdict_on(10_299.0).says, "");
    }

    #[test]
    fn three_percent_less_are_worth_recording() {
        let Verdict { passed, says } = verdict_on(9_000.0);
        assert!(passed);
        assert!(says.starts_with("subscribe: 10000 recorded, 9000 now, -10.0 %; keep"), "{says}");
    }

    #[test]
    fn what_is_not_recorded_fails() {
        let count = Count { name: "publish", instructions: 1.0 };
        assert!(!verdict(&count, &parse("")).passed);
    }
}

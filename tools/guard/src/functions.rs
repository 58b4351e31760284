//! Which functions the instructions of an operation are in, read from callgrind's profile (its
//! format is in valgrind's manual, "Callgrind Format Specification").

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Instructions per operation by function, those of what it calls not included.
pub(crate) type Functions = HashMap<String, f64>;

/// Those of a profile in which there are `repeats` operations.
pub(crate) fn of_profile(profile: &Path, repeats: u32) -> Result<Functions> {
    let text = fs::read_to_string(profile).with_context(|| format!("cannot read {profile:?}"))?;
    let mut functions = parse(&text);
    functions.values_mut().for_each(|instructions| *instructions /= f64::from(repeats));
    Ok(functions)
}

fn parse(profile: &str) -> Functions {
    // Only where a name is first met does it stand behind its number.
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut functions = Functions::new();
    let (mut current, mut of_a_call) = ("", false);
    for line in profile.lines() {
        if let Some((key, name)) = line.split_once('=') {
            let (number, name) = name.split_once(' ').unwrap_or((name, ""));
            if matches!(key, "fn" | "cfn") && !name.is_empty() {
                names.insert(number, name);
            }
            match key {
                "fn" => current = names.get(number).copied().unwrap_or(number),
                "calls" => of_a_call = true,
                _ => {}
            }
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            // A position and its cost; after a call, the cost of what was called.
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<f64>().ok());
            if !std::mem::take(&mut of_a_call) {
                *functions.entry(current.to_owned()).or_default() += cost.unwrap_or(0.0);
            }
        }
    }
    functions
}

/// As lines, the most expensive first; what is below 0.1 % of all is left out.
pub(crate) fn to_text(functions: &Functions) -> String {
    let least = functions.values().sum::<f64>() / 1000.0;
    let mut lines: Vec<_> = functions.iter().filter(|(_, cost)| **cost >= least).collect();
    lines.sort_by(|(name, cost), (other, others)| others.total_cmp(cost).then(name.cmp(other)));
    lines.into_iter().map(|(name, cost)| format!("{cost:>10.1}  {name}\n")).collect()
}

/// What [`to_text`] made.
pub(crate) fn from_text(text: &str) -> Functions {
    let pair = |line: &str| {
        let (cost, name) = line.trim_start().split_once("  ")?;
        Some((name.to_owned(), cost.parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
events: Ir
summary: 1000

fl=(1) main.rs
fn=(1) main
16 400
+1 5
cfi=(2) other.rs
cfn=(2) write <a=b>
calls=10 50
16 500

fn=(2)
51 90
* 5
";

    #[test]
    fn a_function_costs_what_itself_does() {
        let functions = parse(PROFILE);
        assert_eq!(functions["main"], 405.0);
        assert_eq!(functions["write <a=b>"], 95.0);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let functions = parse(PROFILE);
        assert_eq!(to_text(&functions), "     405.0  main\n      95.0  write <a=b>\n");
        assert_eq!(from_text(&to_text(&functions)), functions);
    }
}

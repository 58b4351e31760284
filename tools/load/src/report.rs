//! What a run found: named figures, printed as a table or as JSON. It must not know what they
//! mean.

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::fmt::{self, Display, Write};

/// One scenario's figures, in the order in which they are shown.
#[derive(Clone)]
pub(crate) struct Report {
    scenario: &'static str,
    figures: Vec<Figure>,
}

/// A number with its name (its JSON key, unit included) and its unit.
#[derive(Clone)]
pub(crate) struct Figure {
    /// The JSON key.
    pub(crate) name: String,
    /// The value, in `unit`.
    pub(crate) value: f64,
    /// The unit, empty for a count.
    pub(crate) unit: &'static str,
}

impl Report {
    /// An empty report of `scenario`.
    pub(crate) fn new(scenario: &'static str) -> Self {
        Self { scenario, figures: Vec::new() }
    }

    /// Adds a count.
    pub(crate) fn count(&mut self, name: &str, value: usize) {
        self.figure(name, value as f64, "");
    }

    /// Adds a measured figure; one that is no number (nothing was measured) is left out.
    pub(crate) fn figure(&mut self, name: &str, value: f64, unit: &'static str) {
        if value.is_finite() {
            self.figures.push(Figure { name: name.to_owned(), value, unit });
        }
    }

    /// Adds p50, p90, p99 and the maximum of a histogram of microseconds.
    pub(crate) fn latencies(&mut self, name: &str, histogram: &Histogram<u64>) {
        if histogram.is_empty() {
            return;
        }
        for (label, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            let value = histogram.value_at_quantile(quantile) as f64;
            self.figure(&format!("{name}_{label}_us"), value, "us");
        }
        self.figure(&format!("{name}_max_us"), histogram.max() as f64, "us");
    }

    /// The figure called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// All figures, in order.
    pub(crate) fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// `{"scenario": "...", "<figure>": number, ...}`.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("scenario".to_owned(), json!(self.scenario));
        for figure in &self.figures {
            object.insert(figure.name.clone(), number(figure.value));
        }
        Value::Object(object)
    }

    /// Prints the report to standard output.
    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.to_json());
        } else {
            println!("{self}");
        }
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.scenario)?;
        let width = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        for figure in &self.figures {
            let name = figure.name.replace('_', " ");
            writeln!(out, "  {name:<width$}  {:>14} {}", readable(figure.value), figure.unit)?;
        }
        Ok(())
    }
}

fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

/// Three digits or more, thousands grouped by commas: `0.257`, `8.41`, `23.1`, `117,204`.
pub(crate) fn readable(value: f64) -> String {
    let digits = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        // Writing to a String cannot fail.
        let _ = grouped.write_char(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let shown = [0.0, 0.2567, 8.414, 23.06, 999.6, 1000.0, 117_204.3, -1234.0].map(readable);
        let expected = ["0", "0.257", "8.41", "23.1", "1,000", "1,000", "117,204", "-1,234"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn json_keeps_whole_numbers_whole() {
        let mut report = Report::new("fanout");
        report.count("events", 3);
        report.figure("cpu_us", 1.5, "us");
        report.figure("nothing", f64::NAN, "us");
        assert_eq!(
            report.to_json().to_string(),
            r#"{"cpu_us":1.5,"events":3,"scenario":"fanout"}"#
        );
    }
}

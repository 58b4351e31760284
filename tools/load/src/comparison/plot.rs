//! The plot of a comparison's bars, in SVG. Ratios stand on a logarithmic axis around 1, the floor;
//! the other figures as a share of their bar.

use super::bars::{Baseline, Limit, Verdict};
use super::results::Spread;
use crate::report::readable;
use std::fmt::Write;

const LABELS: f64 = 330.0;
const PLOT: f64 = 420.0;
const VALUES: f64 = 190.0;
const ROW: f64 = 26.0;

/// A figure, in units of its axis.
struct Row {
    label: &'static str,
    figure: Spread,
    bar: f64,
    met: bool,
    /// What stands beside it.
    text: String,
}

/// Where figures stand.
struct Axis<'a> {
    title: String,
    /// Where rows grow from.
    origin: f64,
    ticks: Vec<f64>,
    /// From 0 at the left edge of the plot to 1 at its right edge.
    place: &'a dyn Fn(f64) -> f64,
}

/// The whole picture, for a light and a dark page alike: it brings its own background.
pub(super) fn draw<S>(verdicts: &[Verdict<'_, S>], server: &str) -> String {
    let (mut ratios, mut shares) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        let Some(limit) = verdict.bar.limit else { continue };
        match verdict.bar.baseline {
            Baseline::Nothing(unit) => shares.push(row(verdict, limit, limit.value(), unit)),
            _ => ratios.push(row(verdict, limit, 1.0, "x")),
        }
    }
    let height = 76.0 + ROW * ((ratios.len() + shares.len()) as f64 + 3.0);
    let width = LABELS + PLOT + VALUES;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );

    // Powers of two from the lowest to the highest that is shown.
    let (low, high) = ratios
        .iter()
        .flat_map(|row| [row.figure.min, row.figure.max, row.bar])
        .filter(|value| *value > 0.0)
        .map(f64::log2)
        .fold((-2.0_f64, 2.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low.floor(), high.ceil());
    let logarithmic = Axis {
        title: format!("{} as a ratio (1 = floor; | = bar)", escape(server)),
        origin: 1.0,
        ticks: (low as i32..=high as i32).map(f64::from).map(f64::exp2).collect(),
        place: &|value| (value.max(f64::MIN_POSITIVE).log2() - low) / (high - low),
    };
    let top = panel(&mut svg, 12.0, &logarithmic, &ratios);

    let most = shares.iter().map(|row| row.figure.max).fold(1.2, f64::max);
    let linear = Axis {
        title: format!("{} as a share of its bar (1 = bar)", escape(server)),
        origin: 0.0,
        ticks: vec![0.0, 0.5, 1.0],
        place: &|share| share / most,
    };
    panel(&mut svg, top + 16.0, &linear, &shares);
    svg.push_str("</svg>\n");
    svg
}

/// A row on an axis on which `one` stands at 1.
fn row<S>(verdict: &Verdict<'_, S>, limit: Limit, one: f64, unit: &str) -> Row {
    let Spread { median, min, max } = verdict.compared;
    Row {
        label: verdict.bar.label,
        figure: Spread { median: median / one, min: min / one, max: max / one },
        bar: limit.value() / one,
        met: limit.is_met_by(median),
        text: format!("{} {unit}  (bar {})", readable(median), limit.text()),
    }
}

/// One block of rows from `top` on. Returns where it ends.
fn panel(svg: &mut String, top: f64, axis: &Axis<'_>, rows: &[Row]) -> f64 {
    let x = |value: f64| LABELS + PLOT * (axis.place)(value).clamp(0.0, 1.0);
    let first = top + ROW + 14.0;
    let end = first + ROW * rows.len() as f64;
    let title = format!("<tspan font-weight=\"bold\">{}</tspan>", axis.title);
    text(svg, 12.0, top + 14.0, "start", &title);
    for &tick in &axis.ticks {
        let color = if tick == axis.origin { "#555555" } else { "#dddddd" };
        line(svg, (x(tick), first - 4.0), (x(tick), end), color, 1.0);
        text(svg, x(tick), first - 8.0, "middle", &readable(tick));
    }
    for (number, row) in rows.iter().enumerate() {
        let middle = first + ROW * (number as f64 + 0.5);
        let Spread { median, min, max } = row.figure;
        let (from, to) = (x(axis.origin), x(median));
        let (left, wide) = (from.min(to), (to - from).abs());
        let color = if row.met { "#2a7f62" } else { "#c0392b" };
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"14\" fill=\"{color}\"/>",
            middle - 7.0
        );
        line(svg, (x(min), middle), (x(max), middle), "#111111", 1.5);
        line(svg, (x(row.bar), middle - 11.0), (x(row.bar), middle + 11.0), "#111111", 3.0);
        text(svg, LABELS - 10.0, middle + 4.0, "end", &escape(row.label));
        text(svg, LABELS + PLOT + 10.0, middle + 4.0, "start", &row.text);
    }
    end
}

// Writing to a String cannot fail, so the results of `write!` are left aside.

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), color: &str, width: f64) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\" \
         stroke-width=\"{width}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, content: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#111111\">{content}</text>"
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

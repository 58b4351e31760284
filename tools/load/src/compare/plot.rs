//! The plot of a suite's results, in SVG. Ratios stand on a logarithmic axis around 1, the floor;
//! the other figures as a share of their bar.

use super::bars::{Against, Verdict};
use crate::report::readable;
use crate::rounds::Spread;
use std::fmt::Write;

const LABELS: f64 = 330.0;
const PLOT: f64 = 420.0;
const VALUES: f64 = 190.0;
const ROW: f64 = 26.0;

/// Where a figure stands: from 0 at the left edge of the plot to 1 at its right edge.
type Scale<'a> = &'a dyn Fn(f64) -> f64;

/// The whole picture, for a light and a dark page alike: it brings its own background.
pub(crate) fn draw(verdicts: &[Verdict], server: &str) -> String {
    let (ratios, shares): (Vec<_>, Vec<_>) =
        verdicts.iter().partition(|one| !matches!(one.bar.against, Against::Nothing(_)));
    let height = 76.0 + ROW * (verdicts.len() as f64 + 3.0);
    let width = LABELS + PLOT + VALUES;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );

    // Powers of two from the lowest to the highest that is shown.
    let all =
        ratios.iter().flat_map(|one| [one.compared.min, one.compared.max, one.bar.limit.value()]);
    let (low, high) = all
        .filter(|value| *value > 0.0)
        .map(f64::log2)
        .fold((-2.0_f64, 2.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low.floor(), high.ceil());
    let scale = |value: f64| (value.max(f64::MIN_POSITIVE).log2() - low) / (high - low);
    let title = format!("{} as a ratio (1 = floor; | = bar)", escape(server));
    let ticks: Vec<f64> = (low as i32..=high as i32).map(f64::from).map(f64::exp2).collect();
    let top = panel(&mut svg, 12.0, &title, &ratios, &scale, 1.0, &ticks);

    let most =
        shares.iter().map(|one| one.compared.max / one.bar.limit.value()).fold(1.2, f64::max);
    let scale = |share: f64| share / most;
    let title = format!("{} as a share of its bar (1 = bar)", escape(server));
    panel(&mut svg, top + 16.0, &title, &shares, &scale, 0.0, &[0.0, 0.5, 1.0]);
    svg.push_str("</svg>\n");
    svg
}

/// One block of rows from `top` on; bars grow from `origin`. Returns where it ends.
fn panel(
    svg: &mut String,
    top: f64,
    title: &str,
    verdicts: &[&Verdict],
    scale: Scale<'_>,
    origin: f64,
    ticks: &[f64],
) -> f64 {
    let x = |value: f64| LABELS + PLOT * scale(value).clamp(0.0, 1.0);
    let first = top + ROW + 14.0;
    let end = first + ROW * verdicts.len() as f64;
    text(svg, 12.0, top + 14.0, "start", &format!("<tspan font-weight=\"bold\">{title}</tspan>"));
    for &tick in ticks {
        let color = if tick == origin { "#555555" } else { "#dddddd" };
        line(svg, (x(tick), first - 4.0), (x(tick), end), color, 1.0);
        text(svg, x(tick), first - 8.0, "middle", &readable(tick));
    }
    for (row, verdict) in verdicts.iter().enumerate() {
        let middle = first + ROW * (row as f64 + 0.5);
        let Spread { median, min, max } = verdict.compared;
        let limit = verdict.bar.limit.value();
        let unit = if origin == 0.0 { limit } else { 1.0 };
        let (from, to) = (x(origin), x(median / unit));
        let (left, wide) = (from.min(to), (to - from).abs());
        let color = if verdict.met() { "#2a7f62" } else { "#c0392b" };
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"14\" fill=\"{color}\"/>",
            middle - 7.0
        );
        line(svg, (x(min / unit), middle), (x(max / unit), middle), "#111111", 1.5);
        line(
            svg,
            (x(limit / unit), middle - 11.0),
            (x(limit / unit), middle + 11.0),
            "#111111",
            3.0,
        );
        text(svg, LABELS - 10.0, middle + 4.0, "end", &escape(verdict.bar.label));
        let value = match verdict.bar.against {
            Against::Nothing(unit) => format!("{} {unit}", readable(median)),
            _ => format!("{} x", readable(median)),
        };
        let shown = format!("{value}  (bar {})", verdict.bar.limit.text());
        text(svg, LABELS + PLOT + 10.0, middle + 4.0, "start", &shown);
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

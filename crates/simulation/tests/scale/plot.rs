//! The plot of the figures, in SVG: how they grow with the number of nodes, both on logarithmic axes,
//! so that what is proportional is a straight line of one slope.

use std::fmt::Write;

use crate::measure::{Figures, MEMBERS};

const WIDTH: f64 = 980.0;
const HEIGHT: f64 = 470.0;
/// The corner and the size of a panel's area.
const TOP: f64 = 56.0;
const PANEL: (f64, f64) = (250.0, 350.0);

/// Dark enough on white, and told apart by people who see few colours.
const COLORS: [&str; 5] = ["#0072b2", "#d55e00", "#00795a", "#a2558a", "#555555"];

struct Curve {
    label: String,
    value: fn(&Figures) -> f64,
}

struct Panel<'a> {
    title: &'a str,
    left: f64,
    /// The exponents of 10 at both ends of the axis.
    decades: (i32, i32),
    curves: Vec<Curve>,
}

/// The whole picture, for a light and a dark page alike: it brings its own background.
pub(crate) fn draw(all: &[Figures]) -> String {
    let curve = |label: &str, value| Curve { label: label.to_owned(), value };
    let messages = Panel {
        title: "messages, over all links",
        left: 60.0,
        decades: (0, 6),
        curves: vec![
            curve("new node is whole", |f| f.deaths.new.messages),
            curve("heartbeats, 1 s", |f| f.heartbeats.messages),
            curve(&format!("join, limit {MEMBERS}"), |f| f.limited_join.messages),
            curve("first subscribe", |f| f.subscribe.messages),
            curve("event for one node", |f| f.event.messages),
        ],
    };
    let bytes = Panel {
        title: "bytes",
        left: 540.0,
        decades: (2, 9),
        curves: vec![
            curve("new node is whole", |f| f.deaths.new.bytes),
            curve("memory of a node", |f| f.channels + f.members),
            curve("heartbeats of a node, 1 s", |f| f.of_each_node().bytes),
            curve("first subscribe", |f| f.subscribe.bytes),
            curve("event for one node", |f| f.event.bytes),
        ],
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    for panel in [messages, bytes] {
        panel.draw(&mut svg, all);
    }
    svg + "</svg>\n"
}

impl Panel<'_> {
    fn draw(&self, svg: &mut String, all: &[Figures]) {
        let bottom = TOP + PANEL.1;
        let title = format!("<tspan font-weight=\"bold\">{}</tspan>", self.title);
        text(svg, (self.left, TOP - 22.0), "start", "#111111", &title);
        for exponent in self.decades.0..=self.decades.1 {
            let y = self.y(10_f64.powi(exponent));
            line(svg, (self.left, y), (self.left + PANEL.0, y), "#dddddd");
            text(svg, (self.left - 8.0, y + 4.0), "end", "#111111", power(exponent));
        }
        for figures in all {
            let x = self.x(figures.nodes, all);
            line(svg, (x, TOP), (x, bottom), "#dddddd");
            text(svg, (x, bottom + 18.0), "middle", "#111111", &figures.nodes.to_string());
        }
        text(svg, (self.left + PANEL.0 / 2.0, bottom + 40.0), "middle", "#111111", "nodes");
        for (curve, color) in self.curves.iter().zip(COLORS) {
            self.curve(svg, curve, color, all);
        }
        self.labels(svg, all);
    }

    fn curve(&self, svg: &mut String, curve: &Curve, color: &str, all: &[Figures]) {
        let mut points = String::new();
        for figures in all {
            let (x, y) = (self.x(figures.nodes, all), self.y((curve.value)(figures)));
            let _ = write!(points, "{x:.1},{y:.1} ");
            let _ =
                writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\"/>");
        }
        let points = points.trim_end();
        let _ = writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
        );
    }

    /// At the right end of each curve, and none on another one.
    fn labels(&self, svg: &mut String, all: &[Figures]) {
        let Some(last) = all.last() else { return };
        let height = |curve: &Curve| self.y((curve.value)(last));
        let mut labels: Vec<_> = self.curves.iter().zip(COLORS).collect();
        labels.sort_by(|(one, _), (other, _)| height(one).total_cmp(&height(other)));
        let mut above = f64::MIN;
        for (curve, color) in labels {
            above = height(curve).max(above + 17.0);
            let at = (self.left + PANEL.0 + 12.0, above + 4.0);
            text(svg, at, "start", color, &curve.label);
        }
    }

    fn x(&self, nodes: usize, all: &[Figures]) -> f64 {
        let place = |nodes: usize| (nodes as f64).log2();
        let (first, last) = (all.first(), all.last());
        let end = |of: Option<&Figures>| place(of.map_or(1, |figures| figures.nodes));
        let width = (end(last) - end(first)).max(1.0);
        self.left + PANEL.0 * (place(nodes) - end(first)) / width
    }

    fn y(&self, value: f64) -> f64 {
        let (low, high) = (f64::from(self.decades.0), f64::from(self.decades.1));
        let place = (value.log10() - low) / (high - low);
        TOP + PANEL.1 * (1.0 - place.clamp(0.0, 1.0))
    }
}

/// A power of ten, as short as it can be said.
fn power(exponent: i32) -> &'static str {
    ["1", "10", "100", "1 k", "10 k", "100 k", "1 M", "10 M", "100 M", "1 G"]
        .get(exponent as usize)
        .copied()
        .unwrap_or("")
}

// Writing to a String cannot fail, so the results of `write!` are left aside.

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), color: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, color: &str, content: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{content}</text>"
    );
}

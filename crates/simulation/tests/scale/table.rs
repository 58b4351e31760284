//! The table of the figures: a row for each, a column for each size.

use crate::measure::{FACTS, Figures, MEMBERS};

/// One figure, for clusters of any size.
struct Row {
    label: String,
    value: fn(&Figures) -> f64,
    /// By how much it may differ from what the page says, in percent. Hash tables grow a little
    /// earlier or later in every process; nothing else is up to chance.
    slack: f64,
}

fn rows() -> Vec<Row> {
    let row = |label: &str, value| Row { label: label.to_owned(), value, slack: 0.0 };
    let memory = |label: &str, value| Row { slack: 20.0, ..row(label, value) };
    vec![
        row("first subscribe to a channel at a node: messages", |f| f.subscribe.messages),
        row("the same: bytes", |f| f.subscribe.bytes),
        row("a hundred of them at once, each: messages", |f| f.crowd.messages),
        row("the same: bytes", |f| f.crowd.bytes),
        row("any later subscribe there: messages", |f| f.again.messages),
        row("the same: bytes, with the next heartbeats", |f| f.again.bytes),
        row("presence join, no limit: messages", |f| f.join.messages),
        row("the same: bytes", |f| f.join.bytes),
        row(&format!("presence join, limit {MEMBERS}: messages"), |f| f.limited_join.messages),
        row("the same: bytes", |f| f.limited_join.bytes),
        row("event that one other node wants: messages", |f| f.event.messages),
        row("the same: bytes", |f| f.event.bytes),
        row("event that all nodes want: messages", |f| f.event_for_all.messages),
        row("the same: bytes", |f| f.event_for_all.bytes),
        row("heartbeats of one node: messages per second", |f| f.of_each_node().messages),
        row("the same: bytes per second", |f| f.of_each_node().bytes),
        row("heartbeats of all nodes: messages per second", |f| f.heartbeats.messages),
        memory(&format!("memory of each node for {FACTS} channels of each: bytes"), |f| f.channels),
        memory("the same for each channel: bytes", Figures::channel),
        memory(&format!("memory of each node for {FACTS} members of each: bytes"), |f| f.members),
        memory("the same for each member: bytes", Figures::member),
        row("a dead node is gone, for the first node: ms", |f| f.deaths.first as f64),
        row("the same, for the last node: ms", |f| f.deaths.last as f64),
        row("a new node is whole, with all of that: ms", |f| f.deaths.whole as f64),
        row("the same: messages", |f| f.deaths.new.messages),
        row("the same: bytes", |f| f.deaths.new.bytes),
    ]
}

/// The table in Markdown.
pub(crate) fn draw(all: &[Figures]) -> String {
    let cells = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let each = |label: &str, cell: &dyn Fn(&Figures) -> String| {
        cells(std::iter::once(label.to_owned()).chain(all.iter().map(cell)).collect())
    };
    let mut table = each("nodes", &|figures| figures.nodes.to_string());
    table += &format!("|---{}|\n", "|---:".repeat(all.len()));
    for row in rows() {
        table += &each(&row.label, &|figures| number((row.value)(figures)));
    }
    table
}

/// Panics if a page has other figures for a cluster of this size.
pub(crate) fn check(page: &str, figures: &Figures) {
    let nodes = figures.nodes;
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
    let mut lines = page.lines().skip_while(|line| !line.starts_with("| nodes |")).map(cells);
    let header: Vec<String> = lines.next().expect("the page has a table");
    let column = header.iter().position(|cell| *cell == nodes.to_string());
    let column = column.expect("the table has a column for this size");
    for (row, said) in rows().iter().zip(lines.skip(1)) {
        let (label, is) = (&row.label, (row.value)(figures));
        assert_eq!(*label, said[1], "the table has these rows: UPDATE_DOCS=1 writes it anew");
        let said = &said[column];
        let told: f64 = said.replace(',', "").parse().expect("the table has figures");
        let is_near = (is - told).abs() <= told * row.slack / 100.0;
        assert!(
            number(is) == *said || is_near,
            "{label}, with {nodes} nodes: {}; docs/scale.md says {said}, UPDATE_DOCS=1 mends that",
            number(is)
        );
    }
}

/// A figure to be read: a fraction if it is small, thousands apart.
fn number(value: f64) -> String {
    if value.fract() > 0.0 && value < 10.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

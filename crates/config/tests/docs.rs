//! The reference of options in `docs/configuration.md` is the table's own. `UPDATE_DOCS=1` writes
//! it anew.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::fmt::Write;
use std::path::Path;

use config::Kind;
use config::options::{FIRST_APP, OptionSpec, sections};

const BEGIN: &str =
    "<!-- options: begin (written by the tests of `config` with UPDATE_DOCS=1) -->\n";
const END: &str = "<!-- options: end -->\n";

fn reference() -> String {
    let mut text = String::new();
    for section in sections() {
        writeln!(text, "\n### {}\n", section.title).unwrap();
        text += "| environment | key | default | allowed | |\n|---|---|---|---|---|\n";
        for spec in &section.options {
            text += &row(spec);
        }
    }
    text + "\n"
}

fn row(spec: &OptionSpec) -> String {
    let env = spec.env.map_or("-".to_owned(), |name| format!("`{name}`"));
    let key = match spec.key.strip_prefix(FIRST_APP) {
        Some(field) => format!("`{field}`"),
        None => format!("`{}`", spec.key),
    };
    let help = match spec.ignored {
        Some(reason) => format!("{} (Why: {reason}.)", spec.help),
        None => spec.help.to_owned(),
    };
    let allowed = match spec.kind {
        // The header's lines would be too long with the examples of the error messages.
        Kind::Webhooks => "webhooks, see below".to_owned(),
        kind => kind.allowed(),
    };
    let or_null = if spec.nullable() { ", or null" } else { "" };
    let cells = [env, key, format!("`{}`", spec.default), allowed + or_null, help];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the reference begins");
    let (_, after) = rest.split_once(END).expect("the reference ends");
    let expected = format!("{before}{BEGIN}{}{END}{after}", reference());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    assert!(document == expected, "docs/configuration.md is out of date: run with UPDATE_DOCS=1");
}

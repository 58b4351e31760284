//! The effective configuration as a table for people.

use std::fmt::Write;

use crate::options::Provenance;

/// Values longer than this do not widen the column.
const MAX_WIDTH: usize = 48;

/// One line for each option: a `*` where the value is not the default, the key, the value with
/// secrets masked, and where it comes from. Ends with a line end.
pub fn table(settings: &Provenance) -> String {
    let rows: Vec<[String; 4]> = settings
        .iter()
        .map(|setting| {
            let mark = if setting.is_changed() { "*" } else { " " };
            let shown = setting.shown();
            [mark.to_owned(), setting.key.clone(), shown, setting.origin.to_string()]
        })
        .collect();
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).filter(|n| *n <= MAX_WIDTH).max()
    };
    let heads = ["option", "value", "source"];
    let (keys, values) = (width(1).unwrap_or(0), width(2).unwrap_or(0));
    let mut table = format!("  {:keys$}  {:values$}  {}\n", heads[0], heads[1], heads[2]);
    for [mark, key, value, origin] in &rows {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{mark} {key:keys$}  {value:values$}  {origin}");
    }
    table
}

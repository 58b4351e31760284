//! The files of the page: words by hand, figures in between.

use std::path::{Path, PathBuf};

const BEGIN: &str =
    "<!-- figures: begin (written by the tests of `simulation` with UPDATE_DOCS=1) -->\n";
const END: &str = "<!-- figures: end -->\n";

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// The page as it is.
pub(crate) fn read() -> String {
    std::fs::read_to_string(docs("scale.md")).unwrap()
}

/// Puts new figures into the page, and the plot beside it.
pub(crate) fn write(table: &str, plot: &str) {
    let page = read();
    let (before, rest) = page.split_once(BEGIN).expect("the figures begin");
    let (_, after) = rest.split_once(END).expect("the figures end");
    std::fs::write(docs("scale.md"), format!("{before}{BEGIN}\n{table}\n{END}{after}")).unwrap();
    std::fs::write(docs("scale.svg"), plot).unwrap();
}

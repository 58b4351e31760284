//! Writing to the terminal. Whoever reads may go away at any time: that is no error.

use std::fmt::Display;
use std::io::{self, Write};

use config::{ConfigErrors, Warning};

/// Writes to standard output.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes `label: message` lines to standard error.
fn complain<T: Display>(label: &str, messages: impl IntoIterator<Item = T>) {
    let mut out = io::stderr().lock();
    for message in messages {
        let _ = writeln!(out, "{label}: {message}");
    }
}

/// Writes what is worth saying.
pub(crate) fn warnings(warnings: &[Warning]) {
    complain("warning", warnings);
}

/// Writes what is wrong.
pub(crate) fn errors(errors: &ConfigErrors) {
    complain("error", &errors.0);
}

/// Writes why the server stopped.
pub(crate) fn failure(error: &anyhow::Error) {
    complain("error", [format!("{error:#}")]);
}

//! Starts the built binary: as a floor on a free port, and as a scenario against it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

pub(crate) const LOAD: &str = env!("CARGO_BIN_EXE_load");

/// A floor that ends with its test.
pub(crate) struct Floor {
    child: Child,
    pub(crate) url: String,
}

impl Floor {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut child = Command::new(LOAD)
            .args(["floor", "--port", "0"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }

    /// Runs a scenario against this floor, with a JSON report.
    pub(crate) fn run(&self, scenario: &str) -> Output {
        load(&format!("{scenario} --json --url {} --pid {}", self.url, self.child.id()))
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the binary with `command`, words separated by spaces.
pub(crate) fn load(command: &str) -> Output {
    Command::new(LOAD).args(command.split(' ')).output().unwrap()
}

/// The JSON that a successful run printed.
pub(crate) fn json(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

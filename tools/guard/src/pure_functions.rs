//! Functions of `protocol` and `websocket`, which `bin/pure` calls as often as it is told.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, bail};

use crate::binaries::Binaries;
use crate::callgrind::{self, Count, Counters};

const FUNCTIONS: [&str; 4] =
    ["frame_encoding", "frame_decoding", "message_parsing", "signature_check"];

/// Counts all of them.
pub(crate) fn count(binaries: &Binaries) -> Result<Vec<Count>> {
    let mut caller = Caller::start(binaries)?;
    let mut counters = Counters::of(caller.child.id(), "pure")?;
    let mut count = |name| counters.count_all(name, 10_000, |times| caller.call(name, times));
    FUNCTIONS.into_iter().map(&mut count).collect()
}

struct Caller {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Caller {
    fn start(binaries: &Binaries) -> Result<Self> {
        let mut child = callgrind::command(&binaries.pure, "pure")?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start valgrind")?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, input, output })
    }

    fn call(&mut self, function: &str, times: u32) -> Result<()> {
        writeln!(self.input, "{function} {times}")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        if answer != "done\n" {
            bail!("instead of \"done\" it said {answer:?}");
        }
        Ok(())
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A server with one shard, on its own or under callgrind, in an environment of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::callgrind::{self, Counters};
use crate::client;

/// What every node is told. Nothing that a clock triggers is to happen while there is counting.
const QUIET: [(&str, &str); 7] = [
    // `HOST` itself would be part of a file's name to valgrind.
    ("SOKETI_HOST", "127.0.0.1"),
    ("PORT", "0"),
    ("SHARDS", "1"),
    ("RUST_LOG", "warn"),
    ("ACTIVITY_TIMEOUT", "3600"),
    ("PONG_TIMEOUT", "3600"),
    ("METRICS_ENABLED", "false"),
];

/// A running server; it ends with this value.
pub(crate) struct WatchedNode {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl WatchedNode {
    /// Starts `program` with these options besides what every node is told.
    pub(crate) fn start(program: &Path, options: &[(&str, &str)]) -> Result<Self> {
        Self::spawn(Command::new(program), options)
    }

    /// The same under callgrind. `name` is for its files.
    pub(crate) fn watched(
        program: &Path,
        name: &'static str,
        options: &[(&str, &str)],
    ) -> Result<(Self, Counters)> {
        let node = Self::spawn(callgrind::command(program, name)?, options)?;
        let counters = Counters::of(node.child.id(), name)?;
        Ok((node, counters))
    }

    fn spawn(mut command: Command, options: &[(&str, &str)]) -> Result<Self> {
        let child = command
            .arg("start")
            .env_clear()
            .env("PATH", callgrind::path())
            .envs(QUIET)
            .envs(client::APP)
            .envs(options.iter().copied())
            // A file `.env` would be read, too.
            .current_dir(callgrind::profiles()?)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let mut node = Self { child, address: SocketAddr::from(([0; 4], 0)) };
        node.address = node.greeted()?;
        Ok(node)
    }

    /// The address that the server greets with once it listens. What it says later is not read: it
    /// says nothing more.
    fn greeted(&mut self) -> Result<SocketAddr> {
        let output = self.child.stdout.as_mut().context("the server's output is not piped")?;
        let mut heard = String::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            if let Some((_, rest)) = line.split_once("http://") {
                let address = rest.split_whitespace().next().unwrap_or_default();
                return address.parse().with_context(|| format!("no address in {line:?}"));
            }
            heard += &line;
        }
        anyhow::bail!("the server ended before it listened; it said {heard:?}")
    }
}

impl Drop for WatchedNode {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

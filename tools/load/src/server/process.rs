//! The server's process: started, waited for, measured through /proc and ended by its pid. It
//! must not know what the server does.

use super::metrics::Metrics;
use super::procfs::{cpu_of, rss_of};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The processes under test, possibly none; those that were started here end with this value.
pub(crate) struct Server {
    pids: Vec<u32>,
    children: Vec<Child>,
    metrics: Vec<SocketAddr>,
    /// From the start of the process to the first accepted connection.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Measures processes that somebody else started.
    pub(crate) fn watch(pids: Vec<u32>) -> Self {
        Self { pids, children: Vec::new(), metrics: Vec::new(), ready_after: Duration::ZERO }
    }

    /// Starts `command` with `PORT` set and waits until that port accepts.
    pub(crate) fn start(mut command: Command, port: u16) -> Result<Self> {
        command.env("METRICS_ENABLED", "false");
        Self::start_all(vec![(command, port)])
    }

    /// Starts them all at once, each with its `PORT` set, and waits until all ports accept.
    pub(crate) fn start_all(commands: Vec<(Command, u16)>) -> Result<Self> {
        let started = Instant::now();
        let mut server = Self::watch(Vec::new());
        let ports: Vec<u16> = commands.iter().map(|(_, port)| *port).collect();
        for (mut command, port) in commands {
            command.env("PORT", port.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
            let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
            server.pids.push(child.id());
            server.children.push(child);
        }
        for port in ports {
            server.await_ready(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), started)?;
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    /// The same, with metrics to be read at these addresses.
    pub(crate) fn with_metrics(mut self, metrics: Vec<SocketAddr>) -> Self {
        self.metrics = metrics;
        self
    }

    fn await_ready(&mut self, address: SocketAddr, started: Instant) -> Result<()> {
        while !accepts(address) {
            for child in &mut self.children {
                if let Some(status) = child.try_wait()? {
                    bail!("the server ended before it accepted on {address}: {status}");
                }
            }
            if started.elapsed() > START_TIMEOUT {
                bail!("the server did not accept on {address} within {START_TIMEOUT:?}");
            }
            thread::sleep(Duration::from_micros(300));
        }
        Ok(())
    }

    /// The metrics of each process, where they are known.
    pub(crate) fn scrape(&self) -> Result<Vec<Metrics>> {
        self.metrics.iter().map(|address| Metrics::read(*address)).collect()
    }

    /// User and system time of all threads since the process began; `None` without a process.
    pub(crate) fn cpu(&self) -> Result<Option<Duration>> {
        self.sum(cpu_of)
    }

    /// Resident bytes; `None` without a process.
    pub(crate) fn rss(&self) -> Result<Option<u64>> {
        self.sum(rss_of)
    }

    /// [`Server::rss`] once it has stopped moving (by 0.2 %), at most three seconds later.
    pub(crate) fn settled_rss(&self) -> Result<Option<u64>> {
        let mut last = self.rss()?;
        for _ in 0..15 {
            thread::sleep(Duration::from_millis(200));
            let now = self.rss()?;
            if last.unwrap_or(0).abs_diff(now.unwrap_or(0)) * 500 <= now.unwrap_or(0) {
                return Ok(now);
            }
            last = now;
        }
        Ok(last)
    }

    fn sum<T: std::iter::Sum>(&self, of: fn(u32) -> Result<T>) -> Result<Option<T>> {
        if self.pids.is_empty() {
            return Ok(None);
        }
        self.pids.iter().map(|pid| of(*pid)).sum::<Result<T>>().map(Some)
    }
}

/// `command` run by the shell, which is replaced by it so that the pid is the server's.
pub(crate) fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {command}")]);
    shell
}

/// True if somebody listens at `address`. We come from another address than that: on a port from
/// the ephemeral range, a connection to nobody may get that very port and meet itself.
fn accepts(address: SocketAddr) -> bool {
    let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0));
    let attempt = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))
        .and_then(|socket| socket.bind(&source.into()).map(|()| socket))
        .and_then(|socket| socket.connect(&address.into()));
    attempt.is_ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &self.children {
            if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
                // An error means that it has ended by itself.
                let _ = rustix::process::kill_process(pid, Signal::TERM);
            }
        }
        let asked = Instant::now();
        for child in &mut self.children {
            while matches!(child.try_wait(), Ok(None)) {
                if asked.elapsed() > STOP_TIMEOUT {
                    let _ = child.kill();
                    let _ = child.wait();
                    break;
                }
                thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_at_once_is_an_error() {
        let error = Server::start(shell("false"), 1).err().unwrap();
        assert!(error.to_string().contains("ended before it accepted"), "{error}");
    }
}

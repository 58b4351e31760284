//! The server as a process of its own, started, signalled and measured from outside.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::http::{AppKeys, Http, HttpResponse};
use crate::metrics::{self, Metrics};
use crate::ws::Client;
use crate::{Folder, TEST_TIMEOUT};

/// A running `dunlin start`.
pub struct Process {
    child: Child,
    /// What it says on standard output when it is ready.
    pub greeting: String,
    pub address: SocketAddr,
    metrics: SocketAddr,
    log: Arc<Mutex<String>>,
    /// From its start until it said that it listens.
    pub took: Duration,
    _folder: Folder,
}

impl Process {
    /// With these variables.
    pub fn start(env: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(program()), &["start"], env)
    }

    /// With a configuration file.
    pub fn with_file(file: &Path, env: &[(&str, &str)]) -> Self {
        let file = format!("--config={}", file.display());
        Self::spawn(Command::new(program()), &["start", &file], env)
    }

    /// With a hard limit of file descriptors.
    pub fn with_files(limit: u32, env: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]);
        shell.arg(program());
        Self::spawn(shell, &["start"], env)
    }

    /// On another host, which a network namespace stands for.
    pub fn in_namespace(name: &str, env: &[(&str, &str)]) -> Self {
        let mut ip = Command::new("ip");
        ip.args(["netns", "exec", name]).arg(program());
        // Where `ip` is looked for.
        let path = std::env::var("PATH").unwrap_or_default();
        Self::spawn(ip, &["start"], &[env, &[("PATH", &*path)]].concat())
    }

    fn spawn(mut command: Command, args: &[&str], env: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let started = Instant::now();
        let mut child = command
            .args(args)
            .current_dir(folder.path())
            .env_clear()
            .envs([("HOST", "127.0.0.1"), ("PORT", "0"), ("SHARDS", "2")])
            .envs([("METRICS_ENABLED", "true"), ("METRICS_HOST", "127.0.0.1")])
            .env("METRICS_SERVER_PORT", "0")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (mut errors, written) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = errors.read(&mut chunk) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
            }
        });
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (said, hear) = mpsc::channel();
        std::thread::spawn(move || {
            let mut greeting = String::new();
            while !greeting.contains("health")
                && output.read_line(&mut greeting).is_ok_and(|read| read > 0)
            {}
            drop(said.send(greeting));
        });
        let greeting = hear.recv_timeout(TEST_TIMEOUT).unwrap_or_default();
        let took = started.elapsed();
        if !greeting.contains("health") {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it did not start: {greeting}\n{}", log.lock().unwrap());
        }
        let address = address_in(&greeting, "listening");
        let metrics = address_in(&greeting, "metrics");
        Process { child, greeting, address, metrics, log, took, _folder: folder }
    }

    /// The metrics at this moment.
    pub fn metrics(&self) -> Metrics {
        Metrics::scrape(self.metrics)
    }

    /// Waits until the metrics are as they should be.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Metrics) -> bool) -> Metrics {
        metrics::wait_for(self.metrics, what, fits)
    }

    /// A client of the default app that has been told its socket id.
    pub fn connect(&self) -> Client {
        Client::connect(self.address, "/app/app-key?protocol=7")
    }

    /// A new HTTP connection.
    pub fn http(&self) -> Http {
        Http::connect(self.address)
    }

    /// A signed GET of a page below `/apps/{id}` of the default app.
    pub fn get(&self, page: &str, params: &[(&str, &str)]) -> HttpResponse {
        self.http().get(&AppKeys::default(), page, params)
    }

    /// Publishes with the default app, and insists on success.
    pub fn publish(&self, channel: &str, event: &str, data: &str) {
        let body = serde_json::json!({"name": event, "channel": channel, "data": data});
        let answer = self.http().post(&AppKeys::default(), "/events", body.to_string().as_bytes());
        assert_eq!((answer.status, answer.text()), (200, "{}".into()));
    }

    /// A page of the metrics' port.
    pub fn page(&self, path: &str) -> HttpResponse {
        Http::connect(self.metrics).ask("GET", path, &[], b"")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How often it has logged this.
    pub fn logged(&self, part: &str) -> usize {
        self.log.lock().unwrap().matches(part).count()
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> ExitStatus {
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// CPU used so far, in the kernel's ticks of a hundredth of a second.
    pub fn cpu(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, after_name) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}{}", self.greeting, self.log.lock().unwrap());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's program, as cargo names it to the tests of its crate.
fn program() -> OsString {
    std::env::var_os("CARGO_BIN_EXE_dunlin").expect("a test of dunlin that cargo runs")
}

fn address_in(greeting: &str, name: &str) -> SocketAddr {
    let line = greeting.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap();
    address.split(['/', ' ']).next().unwrap().parse().unwrap()
}

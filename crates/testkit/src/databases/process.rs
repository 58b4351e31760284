//! A process in a temporary folder. Both are gone with the tests, even when these are killed: a
//! shell waits for the end of its input, which the system closes for us.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub const LOOPBACK: &str = "127.0.0.1";

/// Nobody, who must be there for servers that do not run as root.
const NOBODY: u32 = 65534;

/// A folder below the system's temporary one, which belongs to whom servers run as.
pub struct Folder {
    path: PathBuf,
    _guard: Guarded,
}

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU16 = AtomicU16::new(0);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(format!("store-of-test-{process}-{number}"));
        fs::create_dir_all(&path).unwrap();
        own(&path);
        // What still writes into it is about to be killed.
        let script =
            "read -r _; for _ in 1 2 3 4 5 6 7 8 9; do rm -rf \"$1\" && exit; sleep .2; done";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&path);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self { path, _guard: Guarded::start(&mut command) }
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that nobody but its owner may read.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        own(&path);
        path
    }
}

/// A process that ends when its input does.
struct Guarded(Child);

impl Guarded {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped());
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// A server that listens on a port, and logs into its folder.
pub struct Server {
    pub port: u16,
    command: Vec<String>,
    signal: &'static str,
    log: PathBuf,
    guard: Option<Guarded>,
}

impl Server {
    /// Starts a server that is to be ended with this signal, and waits until it listens.
    pub fn start(folder: &Folder, port: u16, signal: &'static str, command: &[&str]) -> Self {
        let command = command.iter().map(|part| (*part).to_owned()).collect();
        let mut server = Self { port, command, signal, log: folder.join("log"), guard: None };
        server.start_again();
        server
    }

    pub fn start_again(&mut self) {
        assert!(self.guard.is_none(), "it runs");
        let script =
            "signal=$1; shift; \"$@\" </dev/null & read -r _; kill -\"$signal\" $!; wait $!";
        let log = File::create(&self.log).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", self.signal]);
        command.args(unprivileged()).args(&self.command);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.guard = Some(Guarded::start(&mut command));
        let (begin, port) = (Instant::now(), self.port);
        while TcpStream::connect((LOOPBACK, port)).is_err() {
            let in_time = begin.elapsed() < Duration::from_secs(60);
            assert!(in_time, "nobody listens on {port}: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn stop(&mut self) {
        self.guard = None;
    }

    /// What it has written.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Runs something that prepares a server, as whom the server runs as.
pub fn run(folder: &Folder, command: &[&str]) {
    let words = unprivileged();
    let mut words = words.iter().map(String::as_str).chain(command.iter().copied());
    let output = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}; see ./test install"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// The beginning of a command that root must not run as root.
fn unprivileged() -> Vec<String> {
    match is_root() {
        true => ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            .map(str::to_owned)
            .to_vec(),
        false => vec!["env".to_owned()],
    }
}

fn own(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A program that may stand where not everybody looks; `places` are folders.
pub fn program(name: &str, places: &[PathBuf]) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(places.iter().cloned())
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    let found = found.unwrap_or_else(|| panic!("there is no {name}: run ./test install"));
    found.to_str().unwrap().to_owned()
}

/// A port that nobody has, below those that systems give to outgoing connections, and elsewhere for
/// each process.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = (std::process::id() % 230) as u16 * 40;
    loop {
        let port = 22_600 + (begin + NEXT.fetch_add(1, Relaxed)) % 9_200;
        if TcpListener::bind((LOOPBACK, port)).is_ok() {
            return port;
        }
    }
}

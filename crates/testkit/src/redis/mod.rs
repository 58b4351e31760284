//! Real Redis servers for tests: on private ports of loopback, with a temporary folder each, ended
//! when they are dropped.

mod certificates;
mod group;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

pub use certificates::RedisCertificates;
pub use group::{cluster, fail_over, has_everything, replace_unnoticed, sentinels};

pub const LOOPBACK: &str = "127.0.0.1";
const INSTALL: &str = "if it is not there, install it, on Debian with: \
    apt-get install redis-server redis-sentinel util-linux";

/// A server process. It can be frozen, stopped and started again on the same port.
pub struct RedisServer {
    program: &'static str,
    pub port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts a Redis with lines of its configuration, and waits until it answers.
    pub fn start(lines: &str) -> RedisServer {
        let port = free_port();
        RedisServer::start_at("redis-server", port, &format!("port {port}\n{lines}"))
    }

    /// Starts a Redis that talks TLS only.
    pub fn start_tls(certificates: &RedisCertificates, lines: &str) -> RedisServer {
        let port = free_port();
        let [ca, certificate, key] = certificates.server_files();
        let tls = format!(
            "port 0\ntls-port {port}\ntls-ca-cert-file {}\ntls-cert-file {}\ntls-key-file {}\n",
            ca.display(),
            certificate.display(),
            key.display()
        );
        RedisServer::start_at("redis-server", port, &(tls + lines))
    }

    pub fn start_at(program: &'static str, port: u16, lines: &str) -> RedisServer {
        let folder = folder();
        let common = format!(
            "bind {LOOPBACK}\ndaemonize no\ndir {}\nlogfile {}\npidfile {}\n",
            folder.display(),
            folder.join("log").display(),
            folder.join("pid").display()
        );
        let storage = if program == "redis-server" { "save \"\"\nappendonly no\n" } else { "" };
        fs::write(folder.join("conf"), format!("{common}{storage}{lines}\n")).unwrap();
        let mut server = RedisServer { program, port, folder, child: None };
        server.start_again();
        server
    }

    /// Starts it again after [`stop`](Self::stop).
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "it runs");
        // If this thread is killed before it can drop the server, the server goes with it.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", self.program])
            .arg(self.folder.join("conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("setpriv: {error}; {INSTALL}")));
        until(&format!("{} listens on {}", self.program, self.port), || {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("{} ended, {status}: {}; {INSTALL}", self.program, self.log());
            }
            TcpStream::connect((LOOPBACK, self.port)).is_ok()
        });
    }

    /// Kills it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// It does nothing any more, but its sockets stay open.
    pub fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
    }

    /// It goes on.
    pub fn thaw(&self) {
        kill_process(self.pid(), Signal::CONT).unwrap();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Sends a command, without a password or TLS, and waits for the beginning of its answer.
    pub fn tell(&self, command: &str) -> String {
        let told = self.try_tell(command);
        told.unwrap_or_else(|error| panic!("{}: {command}: {error}", self.address()))
    }

    /// The same where the server may be away, or may close the connection.
    pub fn try_tell(&self, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect((LOOPBACK, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().expect("it runs"))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder below the system's temporary one.
fn folder() -> PathBuf {
    static NUMBER: AtomicU16 = AtomicU16::new(0);
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Relaxed));
    let path = std::env::temp_dir().join(format!("redis-of-test-{process}-{number}"));
    fs::create_dir_all(&path).unwrap();
    path
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// A port that nobody has, and whose cluster bus port (10000 more) nobody has. Below the ports that
/// systems give to outgoing connections, and elsewhere for each process.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = (std::process::id() % 230) as u16 * 50;
    loop {
        let port = 10_500 + (begin + NEXT.fetch_add(1, Relaxed)) % 11_500;
        let free = |port| TcpListener::bind((LOOPBACK, port)).is_ok();
        if free(port) && free(port + 10_000) {
            return port;
        }
    }
}

/// Waits until something holds, on the thread.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

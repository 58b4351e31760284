//! Brokers that a test starts and ends: on ports of their own, in memory, seen by nobody else.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use super::{Folder, eventually};

/// A running broker.
pub struct Broker {
    port: u16,
    program: &'static str,
    arguments: Vec<String>,
    child: Option<Child>,
    folder: Folder,
}

impl Broker {
    /// Debian's `redis-server`.
    pub fn redis() -> Self {
        let port = free_port();
        let arguments =
            format!("--port {port} --bind 127.0.0.1 --save '' --appendonly no --daemonize no");
        Self::new("redis-server", port, &arguments)
    }

    /// Debian's `nats-server`.
    pub fn nats() -> Self {
        let port = free_port();
        Self::new("nats-server", port, &format!("--addr 127.0.0.1 --port {port}"))
    }

    fn new(program: &'static str, port: u16, arguments: &str) -> Self {
        let argument = |text: &str| text.trim_matches('\'').to_owned();
        let arguments = arguments.split(' ').map(argument).collect();
        let mut broker = Broker { port, program, arguments, child: None, folder: Folder::new() };
        broker.start();
        broker
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it, on the same port as before.
    pub fn start(&mut self) {
        let child = Command::new(self.program)
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let program = self.program;
        let child =
            child.unwrap_or_else(|e| panic!("{program}: {e}; on Debian, install {program}"));
        self.child = Some(child);
        eventually("the broker listens", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
        });
    }

    /// Ends it at once.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

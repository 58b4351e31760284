//! Brokers that a test starts, freezes, ends and starts again: on ports of their own, in memory,
//! seen by nobody else.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};

use crate::{Folder, TEST_TIMEOUT, eventually};

/// The program, which is in Debian's package of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerKind {
    Redis,
    Sentinel,
    Nats,
}

impl BrokerKind {
    fn program(self) -> &'static str {
        match self {
            BrokerKind::Redis => "redis-server",
            BrokerKind::Sentinel => "redis-sentinel",
            BrokerKind::Nats => "nats-server",
        }
    }
}

/// A broker, or the place of one that is away.
pub struct Broker {
    kind: BrokerKind,
    pub port: u16,
    /// What is special in its configuration.
    pub lines: String,
    folder: Folder,
    child: Option<Child>,
    /// Keeps the port while it is away, so that nobody else gets it.
    place: Option<Socket>,
}

impl Broker {
    /// One that is away.
    pub fn away(kind: BrokerKind, lines: &str) -> Self {
        let place = keep_port(0);
        let port = place.local_addr().unwrap().as_socket().unwrap().port();
        let (lines, folder) = (lines.to_owned(), Folder::new());
        Broker { kind, port, lines, folder, child: None, place: Some(place) }
    }

    /// One that runs, with these lines in its configuration.
    pub fn run(kind: BrokerKind, lines: &str) -> Self {
        let mut server = Self::away(kind, lines);
        server.start();
        server
    }

    /// A Redis that nothing is special about.
    pub fn redis() -> Self {
        Self::run(BrokerKind::Redis, "")
    }

    /// A NATS server that nothing is special about.
    pub fn nats() -> Self {
        Self::run(BrokerKind::Nats, "")
    }

    /// Starts it, on the same port as before; it listens when this returns.
    pub fn start(&mut self) {
        let (kind, file) = (self.kind, self.folder.path().join("conf"));
        fs::write(&file, self.configuration()).unwrap();
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(kind.program());
        command.args((kind == BrokerKind::Nats).then_some("--config")).arg(&file);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.place = None;
        let program = kind.program();
        let child = command.spawn();
        let mut child =
            child.unwrap_or_else(|error| panic!("{program}: {error}; install it, see ./test"));
        eventually("the broker listens", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{program} ended, {status}: {}", self.log());
            }
            TcpStream::connect(self.address()).is_ok()
        });
        self.child = Some(child);
    }

    fn configuration(&self) -> String {
        let (port, folder) = (self.port, self.folder.path().display());
        let own = match self.kind {
            BrokerKind::Redis => format!(
                "port {port}\nbind 127.0.0.1\ndir {folder}\nsave \"\"\nappendonly no\n\
                 repl-diskless-sync-delay 0\n"
            ),
            BrokerKind::Sentinel => format!("port {port}\nbind 127.0.0.1\ndir {folder}\n"),
            BrokerKind::Nats => format!("listen: \"127.0.0.1:{port}\"\n"),
        };
        own + &self.lines + "\n"
    }

    /// Ends it at once, without a word.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
            self.place = Some(keep_port(self.port));
        }
    }

    /// It does nothing any more, but its sockets stay open.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends commands to a Redis, each of which has a short answer, and gives the last one.
    pub fn tell(&self, commands: &[&str]) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        let mut answer = [0; 16 << 10];
        let ask = |command: &&str| {
            stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
            let length = stream.read(&mut answer).unwrap();
            String::from_utf8_lossy(&answer[..length]).into_owned()
        };
        commands.iter().map(ask).last().unwrap_or_default()
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A socket that has a port, on which nobody can connect.
fn keep_port(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // What is left of connections of the one that had the port does not matter.
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
    socket
}

/// A port that nobody has at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

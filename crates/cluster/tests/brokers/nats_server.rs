//! A NATS server of its own for a test, on a port that nobody else has.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cluster::Incarnation;
use cluster::nats::{Nats, NatsConfig};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

const LOOPBACK: &str = "127.0.0.1";

/// A running server; it ends with this value.
pub(crate) struct NatsServer {
    port: u16,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl NatsServer {
    pub(crate) async fn start(arguments: &[&str]) -> NatsServer {
        let arguments = arguments.iter().map(|argument| argument.to_string()).collect();
        let mut server = NatsServer { port: 0, arguments, child: None };
        // Somebody else may take the port before the server does.
        while !server.runs() {
            let free = TcpListener::bind((LOOPBACK, 0)).unwrap();
            server.port = free.local_addr().unwrap().port();
            drop(free);
            server.start_again().await;
        }
        server
    }

    fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Starts it on the same port.
    pub(crate) async fn start_again(&mut self) {
        let child = Command::new("nats-server")
            .args(["-a", LOOPBACK, "-p", &self.port.to_string()])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let missing = "nats-server does not start; on Debian: apt-get install nats-server";
        self.child = Some(child.expect(missing));
        let began = Instant::now();
        while self.runs() && TcpStream::connect((LOOPBACK, self.port)).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "nats-server does not listen");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it from running, without its connections being closed.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = Pid::from_child(self.child.as_ref().expect("it runs"));
        kill_process(process, signal).unwrap();
    }

    pub(crate) fn address(&self) -> String {
        format!("{LOOPBACK}:{}", self.port)
    }

    pub(crate) fn config(&self) -> NatsConfig {
        NatsConfig { servers: vec![self.address()], ..NatsConfig::default() }
    }

    pub(crate) async fn connect(&self, node: u64) -> Nats {
        Nats::connect(self.config(), Incarnation(node)).await.unwrap()
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

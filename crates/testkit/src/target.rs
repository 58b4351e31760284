//! A backend that is told of what happens: a target of webhooks that keeps everything it receives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use protocol::webhook::sign;
use serde_json::{Value, json};

use crate::TEST_TIMEOUT;
use crate::http::AppKeys;

/// What a target does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Answers with this status.
    Answers(u16),
    /// Takes it in and never answers.
    Hangs,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request line and headers, as they were on the wire.
    pub head: String,
    pub body: Vec<u8>,
    /// What was answered.
    pub manner: Manner,
}

impl Received {
    /// A header's value, by its exact name.
    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        let line = self.head.lines().find_map(|line| line.strip_prefix(&prefix));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    /// Its events, if its signature is that of the app.
    pub fn events_of(&self, app: &AppKeys) -> Vec<Value> {
        assert_eq!(self.header("X-Pusher-Key"), app.key);
        let signature = self.header("X-Pusher-Signature");
        assert_eq!(sign(&app.secret(), &self.body), signature, "{self:?}");
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert!(body["time_ms"].is_u64(), "{body}");
        body["events"].as_array().unwrap().clone()
    }
}

struct TargetLog {
    received: Mutex<Vec<Received>>,
    some: Condvar,
    manner: Mutex<Manner>,
}

/// Listens on a port of the system's choice until the test's process ends.
pub struct Target {
    address: SocketAddr,
    shared: Arc<TargetLog>,
}

impl Target {
    pub fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(TargetLog {
            received: Mutex::default(),
            some: Condvar::new(),
            manner: Mutex::new(Manner::Answers(200)),
        });
        thread::spawn({
            let shared = shared.clone();
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let shared = shared.clone();
                    thread::spawn(move || shared.serve(&stream));
                }
            }
        });
        Target { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// A webhook of an app that wants these events.
    pub fn webhook(&self, event_types: &[&str]) -> Value {
        json!({"url": self.url(), "event_types": event_types})
    }

    /// What it does from now on.
    pub fn set(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// Everything that came so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// The events of the default app that were taken in with 200, in the order in which they came.
    pub fn events(&self) -> Vec<Value> {
        self.events_of(&AppKeys::default())
    }

    /// The events of an app that were taken in with 200.
    pub fn events_of(&self, app: &AppKeys) -> Vec<Value> {
        let received = self.received();
        let taken = received.iter().filter(|received| received.manner == Manner::Answers(200));
        taken.flat_map(|received| received.events_of(app)).collect()
    }

    /// Waits until what was received is as it should be.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&[Received]) -> bool) {
        let deadline = Instant::now() + TEST_TIMEOUT;
        let mut received = self.shared.received.lock().unwrap();
        while !fits(&received) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not within {TEST_TIMEOUT:?}: {what}; {received:#?}");
            received = self.shared.some.wait_timeout(received, left).unwrap().0;
        }
    }

    /// Waits until so many events of the default app were taken in, and gives them.
    pub fn wait_for_events(&self, count: usize) -> Vec<Value> {
        let app = AppKeys::default();
        self.wait_for(&format!("{count} events"), |received| {
            let taken = received.iter().filter(|received| received.manner == Manner::Answers(200));
            taken.map(|received| received.events_of(&app).len()).sum::<usize>() >= count
        });
        self.events()
    }
}

impl TargetLog {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((head, body)) = request(&mut reader) {
            let manner = *self.manner.lock().unwrap();
            self.received.lock().unwrap().push(Received { head, body, manner });
            self.some.notify_all();
            match manner {
                Manner::Answers(status) => {
                    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok");
                    let mut stream = stream;
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
                // Until whoever asked goes away.
                Manner::Hangs => return drop(reader.read(&mut [0])),
            }
        }
    }
}

/// The next request's head and body; none at the end.
fn request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    };
    let mut body = vec![0; head.lines().find_map(length).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

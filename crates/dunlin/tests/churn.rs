//! Two hundred thousand connections come and go in every way there is; afterwards the server holds
//! nothing that it did not hold before.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::{Domain, Socket, Type};
use testkit::http::{AppKeys, Http};
use testkit::process::Process;
use testkit::ws::{Client, raw, text, upgrade};
use testkit::{Folder, TEST_TIMEOUT};

const CYCLES: usize = 200_000;
const THREADS: usize = 16;
/// Connections that stay all the time.
const HELD: usize = 100;

/// The cheapest client: it looks for words in what it is sent.
struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    /// From an address of its own for each thread, so that no range of ports is used up; closing
    /// resets, so that nothing lingers.
    fn open(to: SocketAddr, thread: usize) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let from = SocketAddr::from((Ipv4Addr::new(127, 0, 1, thread as u8 + 1), 0));
        socket.bind(&from.into()).unwrap();
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        socket.set_tcp_nodelay(true).unwrap();
        socket.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        socket.connect(&to.into()).unwrap();
        Wire { stream: socket.into(), read: Vec::with_capacity(1024) }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads until a word comes.
    fn until(&mut self, word: &str) {
        let mut chunk = [0; 2048];
        while !self.read.windows(word.len()).any(|window| window == word.as_bytes()) {
            let count = self.stream.read(&mut chunk).unwrap();
            let seen = || String::from_utf8_lossy(&self.read).into_owned();
            assert!(count > 0, "closed before {word}: {}", seen());
            self.read.extend_from_slice(&chunk[..count]);
        }
    }

    fn drain(&mut self) {
        let mut chunk = [0; 2048];
        while matches!(self.stream.read(&mut chunk), Ok(count) if count > 0) {}
    }

    fn socket_id(&mut self) -> String {
        self.until("activity_timeout");
        let seen = String::from_utf8_lossy(&self.read);
        let id = seen.split(r#"socket_id\":\""#).nth(1).unwrap();
        id.split('\\').next().unwrap().to_owned()
    }

    fn close(mut self) {
        self.write(&raw(0x88, &1000u16.to_be_bytes()));
        self.drain();
    }
}

fn subscribe(channel: &str, auth: &str, data: Option<&str>) -> Vec<u8> {
    let data = json!({"channel": channel, "auth": auth, "channel_data": data});
    text(&json!({"event": "pusher:subscribe", "data": data}).to_string())
}

struct Churn {
    address: SocketAddr,
    app: AppKeys,
    done: AtomicUsize,
}

impl Churn {
    /// Runs cycles until `upto` have been done in all.
    fn run(&self, upto: usize) {
        let worker = |thread: usize| {
            let mut http = Http::connect(self.address);
            loop {
                let cycle = self.done.fetch_add(1, Relaxed);
                if cycle >= upto {
                    return;
                }
                self.cycle(thread, cycle, &mut http);
            }
        };
        thread::scope(|scope| {
            (0..THREADS).for_each(|thread| drop(scope.spawn(move || worker(thread))));
        });
        self.done.store(upto, Relaxed);
    }

    fn cycle(&self, thread: usize, cycle: usize, http: &mut Http) {
        let channel = format!("churn-{thread}-{}", cycle % 1000);
        let mut wire = Wire::open(self.address, thread);
        let hello = |key: &str| upgrade(&format!("/app/{key}?protocol=7"), &[]);
        let success = "subscription_succeeded";
        match cycle % 10 {
            // Asked and subscribed in one write, left politely.
            0 => {
                wire.write(&[hello("app-key"), subscribe(&channel, "", None)].concat());
                wire.until(success);
                wire.close();
            }
            // The same, then a reset.
            1 => {
                wire.write(&[hello("app-key"), subscribe(&channel, "", None)].concat());
                wire.until(success);
            }
            2 => {
                wire.write(&hello("unknown"));
                wire.until("4001");
                wire.drain();
            }
            3 => {
                wire.write(&hello("off"));
                wire.until("4003");
            }
            4 => {
                wire.write(&hello("app-key"));
                let member = format!(r#"{{"user_id":"{}","user_info":{{"n":1}}}}"#, cycle % 50);
                let id = wire.socket_id();
                let auth = self.app.sign_subscription(&id, "presence-churn", Some(&member));
                wire.write(&subscribe("presence-churn", &auth, Some(&member)));
                wire.until(success);
            }
            5 => {
                wire.write(&hello("app-key"));
                let user = format!(r#"{{"id":"u{}","watchlist":["u1","u2"]}}"#, cycle % 50);
                let auth = self.app.sign_signin(&wire.socket_id(), &user);
                let data = json!({"auth": auth, "user_data": user});
                wire.write(&text(&json!({"event": "pusher:signin", "data": data}).to_string()));
                wire.until("watchlist_events");
                wire.close();
            }
            // The end of the stream without a close frame.
            6 => {
                wire.write(&[hello("app-key"), subscribe("cache-churn", "", None)].concat());
                wire.until(r#""channel":"cache-churn""#);
                wire.stream.shutdown(Shutdown::Write).unwrap();
                wire.drain();
            }
            // Gone before the answer.
            7 => wire.write(&hello("app-key")),
            8 => {
                wire.write(&[hello("app-key"), subscribe(&channel, "", None)].concat());
                wire.until(success);
                let body = json!({"name": "published", "data": "x",
                    "channels": [&channel, "cache-churn"]});
                let answer = http.post(&self.app, "/events", body.to_string().as_bytes());
                assert_eq!(answer.status, 200);
                wire.until("published");
                wire.close();
            }
            _ => {
                wire.write(&hello("app-key"));
                let auth = self.app.sign_subscription(&wire.socket_id(), "private-churn", None);
                wire.write(&subscribe("private-churn", &auth, None));
                wire.until(success);
                let event = json!({"event": "client-x", "channel": "private-churn", "data": {}});
                wire.write(&text(&event.to_string()));
                let leave = json!({"event": "pusher:unsubscribe",
                    "data": {"channel": "private-churn"}});
                wire.write(&text(&leave.to_string()));
            }
        }
    }
}

/// Waits until only those who stay are there, by every count; the memory then.
fn settled(process: &Process, held: usize) -> u64 {
    let held = held as f64;
    process.wait_for("only those who stay are there", |metrics| {
        let is = |name: &str, value: f64| metrics.sum(name) == value;
        is("connected", held)
            && is("shard_connections", held)
            && is("shard_timers", held)
            && is("shard_subscriptions", held)
            && is("registry_channels", if held > 0.0 { 1.0 } else { 0.0 })
            && is("pending_bytes", 0.0)
            && is("http_connections", 0.0)
            && is("inbox_bytes", 0.0)
            && is("held_back_counts", 0.0)
            && metrics.sum("new_connections_total") - metrics.sum("new_disconnections_total")
                == held
    });
    process.memory()
}

#[test]
fn nothing_is_left_of_two_hundred_thousand_connections() {
    let cycles = std::env::var("DUNLIN_CHURN_CYCLES").ok().and_then(|n| n.parse().ok());
    let cycles: usize = cycles.unwrap_or(CYCLES);
    let folder = Folder::new();
    let file = folder.path().join("config.json");
    let config = json!({"appManager.array.apps": [
        {"id": "app-id", "key": "app-key", "secret": "app-secret", "enableClientMessages": true},
        {"id": "off", "key": "off", "secret": "off", "enabled": false},
    ]});
    std::fs::write(&file, config.to_string()).unwrap();
    let process = Process::with_file(&file, &[]);
    let mut held: Vec<Client> = (0..HELD)
        .map(|_| {
            let mut client = Client::connect(process.address, "/app/app-key?protocol=7");
            client.subscribe("held");
            client
        })
        .collect();

    let churn =
        Churn { address: process.address, app: AppKeys::default(), done: AtomicUsize::new(0) };
    let started = Instant::now();
    churn.run(cycles / 5);
    let warm = settled(&process, HELD);
    churn.run(cycles / 2);
    let middle = settled(&process, HELD);
    churn.run(cycles);
    let last = settled(&process, HELD);
    println!(
        "{cycles} cycles in {:?}; memory {} KiB warm, {} KiB half-way, {} KiB at the end",
        started.elapsed(),
        warm / 1024,
        middle / 1024,
        last / 1024
    );
    assert!(last <= warm + warm / 10, "memory grows: {warm} -> {middle} -> {last}");

    // Those who stayed have noticed nothing.
    held.iter_mut().for_each(Client::expect_silence);
    let body = br#"{"name":"E","channel":"held","data":"x"}"#;
    assert_eq!(Http::connect(process.address).post(&churn.app, "/events", body).status, 200);
    held.iter_mut().for_each(|client| client.expect_event("E", "held", "x"));
    drop(held);
    settled(&process, 0);
    let metrics = process.metrics();
    assert_eq!(metrics.sum("panics_total"), 0.0);
    assert_eq!(metrics.sum("slow_consumers_total"), 0.0);
    let refused = |reason: &str| metrics.labelled("rejected_connections_total", reason);
    assert_eq!(refused("reason=\"unknown_key\""), (cycles / 10) as f64);
    assert_eq!(refused("reason=\"disabled\""), (cycles / 10) as f64);
}

//! The process from its first line to its exit: what signals do, and what a changed file does.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::http::{AppKeys, Http};
use testkit::metrics::Metrics;
use testkit::nodes::Adapter;
use testkit::process::Process;
use testkit::ws::{Client, Frame, raw};
use testkit::{Folder, eventually};

#[test]
fn it_says_where_it_listens_and_what_to_try() {
    let process = Process::start(&[("DEFAULT_APP_KEY", "my-key")]);
    println!("from start to ready: {:?}", process.took);
    for part in ["is ready", "listening", "shards", "files", "id app-id, key my-key"] {
        assert!(process.greeting.contains(part), "{part}: {}", process.greeting);
    }
    let url = format!("ws://{}/app/my-key?protocol=7", process.address);
    assert!(process.greeting.contains(&url), "{}", process.greeting);
    Client::connect(process.address, "/app/my-key?protocol=7");
}

/// When a connection was told to come back later; it answers like a browser.
fn closed_at(mut client: Client) -> Instant {
    let error = client.json();
    assert_eq!(error["data"]["code"], 4200, "{error}");
    assert!(matches!(client.next(), Frame::Close(4200, _)));
    let at = Instant::now();
    client.write(&raw(0x88, &4200u16.to_be_bytes()));
    assert_eq!(client.next(), Frame::End);
    at
}

#[test]
fn on_sigterm_everybody_leaves_in_good_order() {
    const GRACE: Duration = Duration::from_secs(4);
    const CLIENTS: usize = 500;
    let grace = GRACE.as_millis().to_string();
    let process = Process::start(&[("SHUTDOWN_GRACE_PERIOD", &grace)]);
    let address = process.address;
    let clients: Vec<Client> =
        (0..CLIENTS).map(|_| Client::connect(address, "/app/app-key?protocol=7")).collect();

    // A health check that is being asked, a connection that is idle, and a request under way.
    let mut asking = Http::connect(address);
    asking.write(b"GET /ready HTTP/1.1\r\nHost: t\r\n");
    let mut idle = Http::connect(address);
    assert_eq!(idle.ask("GET", "/ready", &[], b"").status, 200);
    let body = br#"{"name":"E","channel":"a","data":"late"}"#;
    let target = AppKeys::default().target("POST", "/events", &[], body);
    let mut slow = Http::connect(address);
    let request = testkit::http::request("POST", &target, &[], body);
    slow.write(&request[..request.len() - 10]);
    process.wait_for("they are there", |metrics| metrics.sum("http_connections") == 3.0);

    let watching: Vec<_> = clients
        .into_iter()
        .map(|client| {
            let builder = thread::Builder::new().stack_size(128 * 1024);
            builder.spawn(move || closed_at(client)).unwrap()
        })
        .collect();
    let started = Instant::now();
    process.signal(Signal::TERM);
    eventually("nobody listens any more", || TcpStream::connect(address).is_err());
    let took = started.elapsed();
    asking.write(b"\r\n");
    let answer = asking.answer();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("connection"), Some("close"));
    idle.write(&testkit::http::request("GET", "/ready", &[], b""));
    assert!(idle.try_answer("GET").is_none_or(|answer| answer.status == 503));
    slow.write(&request[request.len() - 10..]);
    assert_eq!(slow.answer().status, 200, "what was under way is finished");
    println!("deaf after {took:?}");

    let mut times: Vec<Duration> =
        watching.into_iter().map(|at| at.join().unwrap() - started).collect();
    let status = process.wait();
    let ended = started.elapsed();
    assert_eq!(status.code(), Some(0));
    assert!(ended < GRACE + Duration::from_secs(1), "{ended:?}");

    // Spread evenly: this is four fifths of the grace period in buckets of a tenth of it.
    times.sort_unstable();
    let (first, last) = (times[0], times[CLIENTS - 1]);
    println!("closed from {first:?} to {last:?}, exit after {ended:?}");
    assert!(last - first > GRACE / 2, "closed from {first:?} to {last:?}");
    let mut buckets = [0; 16];
    for time in times {
        let bucket = (time.as_millis() * 10 / GRACE.as_millis()) as usize;
        buckets[bucket.min(15)] += 1;
    }
    assert!(buckets.iter().all(|&count| count < CLIENTS / 8 * 5 / 2), "{buckets:?}");
}

#[test]
fn on_sigint_it_ends_at_once_when_nobody_is_there() {
    let process = Process::start(&[("SHUTDOWN_GRACE_PERIOD", "60000")]);
    process.signal(Signal::INT);
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn a_second_server_on_the_same_port_says_so_and_ends() {
    let process = Process::start(&[]);
    let port = process.address.port().to_string();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_dunlin"))
        .arg("start")
        .env_clear()
        .envs([("HOST", "127.0.0.1"), ("PORT", &port)])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains(&port), "{error}");
    Client::connect(process.address, "/app/app-key?protocol=7");
}

/// Replaces a file whole, as a careful editor does.
fn put(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn apps(apps: &[Value]) -> String {
    json!({"appManager.array.apps": apps}).to_string()
}

fn app(n: u32) -> Value {
    json!({"id": n.to_string(), "key": format!("k{n}"), "secret": format!("s{n}")})
}

/// A server with the apps 1, 2 and 3, a client of each, and a file to change.
fn three_apps() -> (Process, [Client; 3], PathBuf, Folder) {
    let folder = Folder::new();
    let file = folder.path().join("config.json");
    put(&file, &apps(&[app(1), app(2), app(3)]));
    let process = Process::with_file(&file, &[]);
    let clients = [1, 2, 3].map(|n| {
        let mut client = Client::connect(process.address, &format!("/app/k{n}?protocol=7"));
        client.subscribe("a");
        client
    });
    (process, clients, file, folder)
}

const EVENT: &[u8] = br#"{"name":"E","channel":"a","data":"x"}"#;

#[test]
fn on_sighup_apps_come_go_and_change() {
    let (process, [mut first, mut second, mut third], file, _folder) = three_apps();
    let mut http = Http::connect(process.address);
    let old = AppKeys::new("1", "k1", "s1");
    assert_eq!(http.post(&old, "/events", EVENT).status, 200);
    first.expect_event("E", "a", "x");

    let rotated = json!({"id": "1", "key": "k1-new", "secret": "s1-new"});
    let mut disabled = app(3);
    disabled["enabled"] = json!(false);
    put(&file, &apps(&[rotated, disabled, app(4)]));
    process.signal(Signal::HUP);

    let message = second.expect_refusal(4001);
    assert!(message.contains("k2"), "{message}");
    third.expect_refusal(4003);
    first.expect_silence();
    let mut fourth = Client::connect(process.address, "/app/k4?protocol=7");
    fourth.subscribe("a");
    assert_eq!(http.post(&AppKeys::new("4", "k4", "s4"), "/events", EVENT).status, 200);
    fourth.expect_event("E", "a", "x");
    assert_eq!(http.post(&AppKeys::new("2", "k2", "s2"), "/events", EVENT).status, 404);
    assert_eq!(http.post(&AppKeys::new("3", "k3", "s3"), "/events", EVENT).status, 403);
    for (key, code) in [("k1", 4001), ("k2", 4001), ("k3", 4003)] {
        Client::open(process.address, &format!("/app/{key}")).expect_refusal(code);
    }

    // The app that has a new key and secret still has its connections.
    assert_eq!(http.post(&old, "/events", EVENT).status, 401);
    assert_eq!(http.post(&AppKeys::new("1", "k1-new", "s1-new"), "/events", EVENT).status, 200);
    first.expect_event("E", "a", "x");
    Client::connect(process.address, "/app/k1-new");
    assert_eq!(process.metrics().sum("panics_total"), 0.0);
}

/// Two nodes with files of their own: what one of them says is off is off on both.
#[test]
fn what_one_node_s_file_switches_off_is_off_on_all() {
    let folder = Folder::new();
    let [mine, other] = ["mine", "other"].map(|name| folder.path().join(name));
    let adapter = Adapter::mesh();
    for file in [&mine, &other] {
        put(file, &apps(&[app(1), app(2), app(3)]));
    }
    let env = [adapter.env(), vec![("PORT", "0")]].concat();
    let [here, there] = [&mine, &other].map(|file| Process::with_file(file, &env));
    let joined = |metrics: &Metrics| metrics.sum("cluster_peers") == 1.0;
    for node in [&here, &there] {
        node.wait_for("they know each other", joined);
    }
    let connect = |n: u32| Client::connect(there.address, &format!("/app/k{n}?protocol=7"));
    let [mut first, mut second, mut third] = [1, 2, 3].map(connect);

    let mut disabled = app(2);
    disabled["enabled"] = json!(false);
    put(&mine, &apps(&[app(1), disabled]));
    here.signal(Signal::HUP);
    second.expect_refusal(4003);
    third.expect_refusal(4003);
    first.expect_silence();
    let publish = |n: u32| {
        let app = AppKeys::new(&n.to_string(), &format!("k{n}"), &format!("s{n}"));
        there.http().post(&app, "/events", EVENT).status
    };
    assert_eq!([1, 2, 3].map(publish), [200, 403, 403]);
    // Its own file says nothing else than before.
    there.signal(Signal::HUP);
    eventually("it has read it again", || there.logged("the apps are read again") == 1);
    assert_eq!([1, 2, 3].map(publish), [200, 403, 403]);

    put(&mine, &apps(&[app(1), app(2)]));
    here.signal(Signal::HUP);
    eventually("the second one is back", || publish(2) == 200);
    assert_eq!(publish(3), 403);
    // Whoever leaves takes along what it said.
    here.signal(Signal::KILL);
    here.wait();
    eventually("the third one is back", || publish(3) == 200);
    connect(3).subscribe("a");
    first.subscribe("a");
    assert_eq!(there.metrics().sum("panics_total"), 0.0);
}

#[test]
fn a_changed_file_is_noticed_without_a_signal() {
    let (process, [mut first, mut second, _third], file, _folder) = three_apps();
    put(&file, &apps(&[app(1), app(3)]));
    second.expect_refusal(4001);
    first.expect_silence();
    // Written in place, as an editor without care does.
    std::fs::write(&file, apps(&[app(1), app(2), app(3)])).unwrap();
    eventually("the app is back", || {
        let mut client = Client::open(process.address, "/app/k2");
        client.json()["event"] == "pusher:connection_established"
    });
    first.expect_silence();
}

#[test]
fn a_broken_file_changes_nothing() {
    let (process, [mut first, mut second, mut third], file, _folder) = three_apps();
    let unnamed = apps(&[app(1), json!({"id": "2"})]);
    for broken in ["{", unnamed.as_str(), r#"{"prot": 1}"#] {
        put(&file, broken);
        let said = || process.logged("the configuration is kept as it was");
        let before = said();
        process.signal(Signal::HUP);
        eventually("it complains", || said() > before);
    }
    [&mut first, &mut second, &mut third].into_iter().for_each(Client::expect_silence);
    Client::connect(process.address, "/app/k2");
    put(&file, &apps(&[app(1)]));
    process.signal(Signal::HUP);
    second.expect_refusal(4001);
    third.expect_refusal(4001);
    first.expect_silence();
}

//! File descriptors run out: WebSockets are refused, everything else goes on.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::net::TcpStream;
use std::time::Duration;

use testkit::eventually;
use testkit::http::{AppKeys, Http};
use testkit::process::Process;
use testkit::ws::Client;

const EVENT: &[u8] = br#"{"name":"E","channel":"a","data":"x"}"#;

/// Opens WebSockets until one is refused.
fn flood(process: &Process) -> Vec<Client> {
    let mut clients = Vec::new();
    loop {
        let mut client = Client::open(process.address, "/app/app-key?protocol=7");
        let first = client.json();
        if first["event"] != "pusher:connection_established" {
            assert_eq!(first["data"]["code"], 4100, "{first}");
            client.expect_close(4100);
            return clients;
        }
        clients.push(client);
        assert!(clients.len() < 256, "more WebSockets than descriptors");
    }
}

#[test]
fn without_descriptors_http_and_metrics_still_answer() {
    let process = Process::with_files(256, &[]);
    assert!(process.greeting.contains("limit 256"), "{}", process.greeting);
    let mut clients = flood(&process);
    let limit = process.metrics().sum("websocket_limit");
    assert_eq!(clients.len() as f64, limit);
    for _ in 0..20 {
        let mut client = Client::open(process.address, "/app/app-key?protocol=7");
        client.expect_refusal(4100);
    }
    let metrics = process.metrics();
    assert_eq!(metrics.sum("connected"), limit);
    assert!(metrics.labelled("rejected_connections_total", "reason=\"capacity\"") >= 21.0);

    // Backends get in by the reserve.
    clients[0].subscribe("a");
    let mut backend = Http::connect(process.address);
    assert_eq!(backend.post(&AppKeys::default(), "/events", EVENT).status, 200);
    clients[0].expect_event("E", "a", "x");

    // Now the reserve is used up as well. More wait in the kernel's queue, which costs nothing.
    let squatters: Vec<TcpStream> =
        (0..150).map(|_| TcpStream::connect(process.address).unwrap()).collect();
    process.wait_for("the reserve is used up", |metrics| {
        metrics.sum("connected") + metrics.sum("http_connections") >= limit + 30.0
    });
    // Not to wait for anything, but to measure what waiting costs.
    let before = process.cpu();
    std::thread::sleep(Duration::from_secs(1));
    let used = process.cpu() - before;
    assert!(used < 30, "{used} % of a core for waiting");
    assert_eq!(backend.post(&AppKeys::default(), "/events", EVENT).status, 200);
    clients[0].expect_event("E", "a", "x");
    process.metrics();

    // When they have gone there is room again, for as many as before.
    drop(squatters);
    drop(clients);
    process.wait_for("everybody has left", |metrics| {
        metrics.sum("connected") == 0.0 && metrics.sum("http_connections") <= 1.0
    });
    let mut again = Vec::new();
    eventually("all can come back", || {
        again.clear();
        again = flood(&process);
        again.len() as f64 == limit
    });
    assert_eq!(backend.post(&AppKeys::default(), "/events", EVENT).status, 200);
    assert_eq!(process.metrics().sum("panics_total"), 0.0);
}

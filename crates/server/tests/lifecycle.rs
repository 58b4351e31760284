//! A server in this process from start to stop; signals and reloads are tested with the binary.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::Server;
use testkit::ws::Frame;

#[test]
fn servers_of_one_process_do_not_know_each_other() {
    let (one, other) = (Server::with(&[]), Server::with(&[]));
    let (mut here, mut there) = (one.connect(), other.connect());
    here.subscribe("a");
    there.subscribe("a");
    one.publish("a", "E", "");
    here.expect_event("E", "a", "");
    there.expect_silence();
    assert_ne!(here.socket_id, there.socket_id);
}

#[test]
fn stopping_closes_everybody_with_4200_and_then_ends() {
    let server = Server::with(&[("SHUTDOWN_GRACE_PERIOD", "2000")]);
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    let address = server.address();
    let started = Instant::now();
    let stopping = std::thread::spawn(move || drop(server));
    for client in &mut clients {
        let error = client.json();
        assert_eq!(error["data"]["code"], 4200, "{error}");
        assert!(matches!(client.next(), Frame::Close(4200, _)));
    }
    // They all answer, so nobody is waited for until the end of the grace period.
    clients.into_iter().for_each(testkit::ws::Client::close);
    stopping.join().unwrap();
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn stopping_does_not_wait_for_ever_for_those_who_do_not_answer() {
    let server = Server::with(&[("SHUTDOWN_GRACE_PERIOD", "300")]);
    let deaf = server.connect();
    let started = Instant::now();
    drop(server);
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert!(started.elapsed() < Duration::from_secs(30));
    drop(deaf);
}

#[test]
fn metrics_tell_the_truth() {
    let server = Server::with(&[]);
    let metrics = server.metrics();
    assert_eq!((metrics.sum("ready"), metrics.sum("draining")), (1.0, 0.0));
    assert!(metrics.is_empty());
    let mut clients: Vec<_> = (0..7).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.subscribe("a");
        client.subscribe("b");
    }
    server.publish("a", "E", "");
    server.publish("nobody", "E", "");
    clients.iter_mut().for_each(|client| client.expect_event("E", "a", ""));
    let metrics = server.metrics();
    let expected = [
        ("connected", 7.0),
        ("shard_connections", 7.0),
        ("shard_subscriptions", 14.0),
        ("shard_timers", 7.0),
        ("registry_channels", 2.0),
        ("new_connections_total", 7.0),
        ("new_disconnections_total", 0.0),
        ("ws_messages_received_total", 14.0),
        // The first frame, two successes and the event, for each of them.
        ("ws_messages_sent_total", 28.0),
        ("publishes_total", 2.0),
        ("deliveries_total", 7.0),
        ("http_calls_received_total", 2.0),
        ("slow_consumers_total", 0.0),
    ];
    for (name, value) in expected {
        assert_eq!(metrics.sum(name), value, "{name}");
    }
    drop(clients);
    server.is_clean();
}

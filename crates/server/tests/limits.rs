//! Limits hold exactly, also when everybody comes at once, and what was taken comes back.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};
use support::Server;
use testkit::http::{AppKeys, request};
use testkit::ws::{Client, Frame, text};

/// Connects `count` times at once; those that were let in, and how many were refused with 4004.
fn storm(server: &Server, count: usize) -> (Vec<Client>, usize) {
    let barrier = Barrier::new(count);
    let one = || {
        let mut client = Client::raw(server.address());
        barrier.wait();
        client.write(&testkit::ws::upgrade("/app/app-key?protocol=7", &[]));
        client.upgraded();
        let first = client.json();
        if first["event"] == "pusher:connection_established" {
            return Some(client);
        }
        assert_eq!(first["data"]["code"], 4004, "{first}");
        client.expect_close(4004);
        None
    };
    let clients: Vec<Option<Client>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let refused = clients.iter().filter(|client| client.is_none()).count();
    (clients.into_iter().flatten().collect(), refused)
}

#[test]
fn connections_never_exceed_the_quota() {
    let server = Server::with(&[("DEFAULT_APP_MAX_CONNS", "100")]);
    let (first, refused) = storm(&server, 300);
    assert_eq!((first.len(), refused), (100, 200));
    let metrics = server.metrics();
    assert_eq!(metrics.sum("connected"), 100.0);
    assert_eq!(metrics.labelled("rejected_connections_total", "reason=\"quota\""), 200.0);

    // Half leave politely, half do not; all places come back.
    for (n, client) in first.into_iter().enumerate() {
        if n % 2 == 0 { client.close() } else { client.abort() }
    }
    server.wait_for("everybody has left", |metrics| metrics.sum("connected") == 0.0);
    let (second, refused) = storm(&server, 120);
    assert_eq!((second.len(), refused), (100, 20));
    drop(second);
    server.is_clean();
}

#[test]
fn a_connection_has_so_many_subscriptions() {
    let server = Server::with(&[("CONNECTION_MAX_SUBSCRIPTIONS", "3")]);
    let mut client = server.connect();
    ["a", "b", "c"].iter().for_each(|channel| client.subscribe(channel));
    client.ask_for("d", None, None);
    let refused = client.json();
    assert_eq!(refused["event"], "pusher:subscription_error");
    assert_eq!(refused["channel"], "d");
    assert!(client.expect_complaint().contains('3'));
    client.subscribe("a");
    client.unsubscribe("b");
    client.subscribe("d");
    assert_eq!(
        server.get("/channels", &[]).json(),
        json!({"channels": {"a": {}, "c": {}, "d": {}}})
    );
    drop(client);
    server.is_clean();
}

/// Sends requests in one write; how many answers were 200, after checking that the others are 429
/// and say when to come back, and how many the rate can have let through meanwhile.
fn burst(server: &Server, requests: &[Vec<u8>]) -> (usize, std::time::Duration) {
    let mut http = server.http();
    let started = Instant::now();
    http.write(&requests.concat());
    let mut passed = 0;
    for _ in requests {
        let answer = http.answer();
        match answer.status {
            200 => passed += 1,
            429 => {
                let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!(seconds >= 1);
                assert!(answer.header("x-ratelimit-limit").is_some());
                assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
                assert!(answer.error().contains("per second"));
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    (passed, started.elapsed())
}

#[test]
fn backend_events_have_a_rate() {
    let server = Server::with(&[("DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC", "10")]);
    let app = AppKeys::default();
    let body = br#"{"name":"E","channel":"a","data":""}"#;
    let one = request("POST", &app.target("POST", "/events", &[], body), &[], body);
    let (passed, took) = burst(&server, &vec![one; 100]);
    let most = 10.0 + took.as_secs_f64() * 10.0 + 1.0;
    assert!(passed >= 10 && passed as f64 <= most, "{passed} of 100 in {took:?}");
}

#[test]
fn a_batch_counts_its_events_and_is_refused_whole() {
    let server = Server::with(&[("DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC", "5")]);
    let mut client = server.connect();
    client.subscribe("a");
    let batch = |count: usize| {
        let event = json!({"name": "E", "channel": "a", "data": ""});
        json!({"batch": vec![event; count]}).to_string()
    };
    let mut http = server.http();
    let answer = http.post(&AppKeys::default(), "/batch_events", batch(6).as_bytes());
    assert_eq!(answer.status, 429, "more than a whole second's worth never fits");
    client.expect_silence();
    let answer = http.post(&AppKeys::default(), "/batch_events", batch(5).as_bytes());
    assert_eq!(answer.status, 200);
    (0..5).for_each(|_| client.expect_event("E", "a", ""));
}

#[test]
fn reading_requests_have_a_rate_of_their_own() {
    let server = Server::with(&[("DEFAULT_APP_MAX_READ_REQ_PER_SEC", "10")]);
    let app = AppKeys::default();
    let one = request("GET", &app.target("GET", "/channels", &[], b""), &[], b"");
    let (passed, took) = burst(&server, &vec![one; 100]);
    let most = 10.0 + took.as_secs_f64() * 10.0 + 1.0;
    assert!(passed >= 10 && passed as f64 <= most, "{passed} of 100 in {took:?}");
    server.publish("a", "E", "events are not reading");
}

#[test]
fn client_events_have_a_rate_per_connection() {
    let server = Server::with(&[
        ("DEFAULT_APP_ENABLE_CLIENT_MESSAGES", "true"),
        ("DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC", "10"),
    ]);
    let (mut sender, mut receiver) = (server.connect(), server.connect());
    sender.subscribe_signed("private-a", None);
    receiver.subscribe_signed("private-a", None);
    let started = Instant::now();
    let event = text(r#"{"event":"client-x","channel":"private-a","data":"d"}"#);
    sender.write(&event.repeat(100));
    sender.write(&text(r#"{"event":"pusher:ping"}"#));
    let mut dropped = 0;
    loop {
        let frame = sender.json();
        if frame["event"] == "pusher:pong" {
            break;
        }
        assert_eq!(frame["data"]["code"], 4301, "{frame}");
        dropped += 1;
    }
    let most = 10.0 + started.elapsed().as_secs_f64() * 10.0 + 1.0;
    let passed = 100 - dropped;
    assert!(passed >= 10 && f64::from(passed) <= most, "{passed}");
    (0..passed).for_each(|_| receiver.expect_event("client-x", "private-a", "d"));
    receiver.expect_silence();
}

#[test]
fn sizes_of_events_from_clients() {
    let server = Server::with(&[
        ("DEFAULT_APP_ENABLE_CLIENT_MESSAGES", "true"),
        ("EVENT_MAX_SIZE_IN_KB", "10"),
        ("CONNECTION_MAX_FRAME_KB", "64"),
    ]);
    let (mut sender, mut receiver) = (server.connect(), server.connect());
    sender.subscribe_signed("private-a", None);
    receiver.subscribe_signed("private-a", None);
    let event = |size: usize| {
        json!({"event": "client-x", "channel": "private-a", "data": "x".repeat(size)}).to_string()
    };
    sender.send(&event(10 * 1024));
    receiver.expect_event("client-x", "private-a", &"x".repeat(10 * 1024));
    sender.send(&event(10 * 1024 + 1));
    let refused = sender.json();
    assert_eq!(
        (&refused["data"]["code"], &refused["channel"]),
        (&json!(4301), &json!("private-a"))
    );
    sender.expect_silence();
    receiver.expect_silence();
    // Above the frame limit it is closed, as soon as the header says so (W19).
    sender.write(&testkit::ws::raw(0x81, &vec![b'x'; 64 * 1024 + 1])[..64]);
    assert!(matches!(sender.next(), Frame::Close(1009, _)));
    receiver.expect_silence();
}

#[test]
fn a_presence_channel_fills_up_exactly_when_all_come_at_once() {
    let server = Server::with(&[("PRESENCE_MAX_MEMBERS", "20")]);
    let barrier = Barrier::new(60);
    let one = |n: usize| {
        let mut client = server.connect();
        barrier.wait();
        // Two tabs for each of 20 users, and 20 strangers.
        let user = if n < 40 { format!("user-{}", n % 20) } else { format!("stranger-{n}") };
        client.ask_for_signed("presence-x", Some(&json!({"user_id": user}).to_string()));
        let frame = client.json();
        if frame["event"] == "pusher:subscription_error" {
            return None;
        }
        assert_eq!(frame["event"], "pusher_internal:subscription_succeeded");
        let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
        let presence = &data["presence"];
        let count = presence["count"].as_u64().unwrap() as usize;
        assert!(count <= 20);
        assert_eq!(presence["ids"].as_array().unwrap().len(), count);
        assert_eq!(presence["hash"].as_object().unwrap().len(), count);
        Some(client)
    };
    let clients: Vec<Option<Client>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..60).map(|n| scope.spawn(move || one(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let users = server.get("/channels/presence-x/users", &[]).json();
    assert_eq!(users["users"].as_array().unwrap().len(), 20);
    drop(clients);
    server.is_clean();
}

#[test]
fn a_join_of_many_tabs_at_once_is_announced_once() {
    let server = Server::with(&[]);
    let mut watcher = server.connect();
    watcher.subscribe_signed("presence-x", Some(r#"{"user_id":"watcher"}"#));
    for round in 0..10 {
        let barrier = Barrier::new(16);
        let tab = || {
            let mut client = server.connect();
            barrier.wait();
            client.subscribe_signed("presence-x", Some(r#"{"user_id":"tabs"}"#));
            client
        };
        let tabs: Vec<Client> = thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(tab)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(watcher.json()["event"], "pusher_internal:member_added", "round {round}");
        watcher.expect_silence();
        drop(tabs);
        assert_eq!(watcher.json()["event"], "pusher_internal:member_removed", "round {round}");
        watcher.expect_silence();
    }
}

#[test]
fn a_busy_channels_count_is_said_now_and_then_and_the_last_one_always() {
    let server = Server::with(&[("DEFAULT_APP_ENABLE_SUBSCRIPTION_COUNT", "true")]);
    let started = Instant::now();
    let mut first = server.connect();
    first.subscribe("a");
    let others: Vec<Client> = (1..110)
        .map(|_| {
            let mut client = server.connect();
            client.subscribe("a");
            client
        })
        .collect();
    let mut counts: Vec<u64> = Vec::new();
    while counts.last() != Some(&110) {
        let frame = first.json();
        assert_eq!(frame["event"], "pusher_internal:subscription_count");
        let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
        counts.push(data["subscription_count"].as_u64().unwrap());
    }
    assert!(counts[..101].iter().copied().eq(1..=101), "{counts:?}");
    // One when it became busy, and one for every five seconds (W52).
    let most = 101 + 1 + started.elapsed().as_secs() / 5;
    assert!(counts.len() as u64 <= most, "{counts:?}");
    drop(others);
    drop(first);
    server.is_clean();
}

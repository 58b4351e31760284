//! Apps that are looked up in a store: when they are asked for, how their changes take effect, and
//! what happens while the store is away.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use support::Server;
use support::store::{Mood, Store, app};
use testkit::eventually;
use testkit::http::{AppKeys, Http, request};
use testkit::ws::{Client, text, upgrade};

const CACHED: [(&str, &str); 2] =
    [("APP_MANAGER_CACHE_ENABLED", "true"), ("APP_MANAGER_CACHE_TTL", "1")];
const FOR_EVER: [(&str, &str); 1] = [("APP_MANAGER_CACHE_ENABLED", "true")];

fn two_apps() -> Arc<Store> {
    Arc::new(Store::with(vec![app("app-id", "app-key"), app("other-id", "other-key")]))
}

/// A server that has seen that its store is there.
fn started(env: &[(&str, &str)], store: &Arc<Store>) -> Server {
    let server = Server::with_store(env, store);
    server.wait_for("the store is reached", |metrics| metrics.sum("app_store_up") == 1.0);
    server
}

/// Waits until a question about the key is on its way.
fn is_asked(store: &Store, key: &str) {
    eventually("the store is asked", || store.questions_about(key) > 0);
}

#[test]
fn an_app_is_found_by_its_key_and_by_its_id() {
    for env in [&CACHED[..], &[]] {
        let store = two_apps();
        let server = started(env, &store);
        let mut client = server.connect();
        client.subscribe("a");
        server.publish("a", "E", "data");
        client.expect_event("E", "a", "data");
        let other = AppKeys::new("other-id", "other-key", "app-secret");
        assert_eq!(server.http().get(&other, "/channels", &[]).json(), json!({"channels": {}}));
        let nobody = AppKeys::new("nobody", "no-key", "app-secret");
        assert_eq!(server.http().get(&nobody, "/channels", &[]).status, 404);
        assert!(server.open("/app/no-key?protocol=7").expect_refusal(4001).contains("no-key"));
        drop(client);
        server.is_clean();
    }
}

#[test]
fn many_who_connect_at_once_share_a_question() {
    let store = two_apps();
    let server = started(&[], &store);
    store.set_mood(Mood::Hangs);
    let began = Instant::now();
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..50 {
        let mut client = Client::raw(server.address());
        client.write(&upgrade("/app/app-key?protocol=7", &[]));
        clients.push(client);
    }
    is_asked(&store, "app-key");
    store.set_mood(Mood::Answers);
    for client in &mut clients {
        client.upgraded();
        client.established();
    }
    // Those whose request the server read later had to ask again.
    let most = began.elapsed().as_millis() as usize / 20 + 2;
    assert!(store.questions() <= most, "{} questions, {most} at most", store.questions());
    assert_eq!(server.metrics().labelled("app_lookups_total", "outcome=\"found\""), 50.0);
    drop(clients);
    server.is_clean();
}

#[test]
fn what_a_client_says_while_its_app_is_looked_up_is_heard_in_order() {
    let store = two_apps();
    let server = started(&[], &store);
    store.set_mood(Mood::Hangs);
    let mut client = Client::raw(server.address());
    let subscribe = |channel: &str| {
        text(&json!({"event": "pusher:subscribe", "data": {"channel": channel}}).to_string())
    };
    client.write(&[upgrade("/app/app-key?protocol=7", &[]), subscribe("a")].concat());
    is_asked(&store, "app-key");
    client.write(&subscribe("b"));
    store.set_mood(Mood::Answers);
    client.upgraded();
    client.established();
    client.expect_subscribed("a");
    client.expect_subscribed("b");
    client.expect_silence();
    drop(client);
    server.is_clean();
}

#[test]
fn who_leaves_during_the_look_up_leaves_nothing_behind() {
    let store = two_apps();
    let server = started(&[], &store);
    store.set_mood(Mood::Hangs);
    for n in 0..20 {
        let mut client = Client::raw(server.address());
        client.write(&upgrade("/app/app-key?protocol=7", &[]));
        if n % 2 == 0 { client.abort() } else { drop(client) }
    }
    is_asked(&store, "app-key");
    store.set_mood(Mood::Answers);
    server.wait_for("nobody waits", |metrics| metrics.sum("app_lookups_waiting") == 0.0);
    server.is_clean();
}

#[test]
fn rules_of_an_app_that_is_looked_up_apply() {
    let mut limited = app("app-id", "app-key");
    limited.max_connections = Some(1);
    let mut disabled = app("other-id", "other-key");
    disabled.enabled = false;
    let server = started(&[], &Arc::new(Store::with(vec![limited, disabled])));
    let client = server.connect();
    server.open("/app/app-key?protocol=7").expect_refusal(4004);
    server.open("/app/other-key?protocol=7").expect_refusal(4003);
    let other = AppKeys::new("other-id", "other-key", "app-secret");
    assert_eq!(server.http().get(&other, "/channels", &[]).status, 403);
    drop(client);
    server.is_clean();
}

#[test]
fn changes_take_effect_on_what_is_there() {
    let store = two_apps();
    let server = started(&CACHED, &store);
    let mut client = server.connect();
    client.subscribe("a");
    client.send(r#"{"event":"client-x","channel":"a","data":""}"#);
    client.json();
    store.change(|apps| {
        apps[0].max_connections = Some(1);
        apps[0].secret = config::Secret::new("new-secret");
    });
    let new = AppKeys::new("app-id", "app-key", "new-secret");
    eventually("the new secret is known", || {
        server.http().get(&new, "/channels", &[]).status == 200
    });
    server.open("/app/app-key?protocol=7").expect_refusal(4004);
    client.expect_silence();

    store.change(|apps| apps[0].enabled = false);
    client.expect_refusal(4003);
    assert_eq!(server.http().get(&new, "/channels", &[]).status, 403);
    store.change(|apps| apps[0].enabled = true);
    eventually("it is enabled", || server.http().get(&new, "/channels", &[]).status == 200);
    let mut client = server.connect();
    store.change(|apps| drop(apps.remove(0)));
    client.expect_refusal(4001);
    server.open("/app/app-key?protocol=7").expect_refusal(4001);
    server.is_clean();
}

#[test]
fn an_app_that_is_cached_for_ever_is_asked_for_once() {
    let store = two_apps();
    let server = started(&FOR_EVER, &store);
    let clients: Vec<Client> = (0..20).map(|_| server.connect()).collect();
    store.change(|apps| apps[0].enabled = false);
    thread::sleep(Duration::from_millis(1500));
    drop(server.connect());
    assert_eq!(store.questions_about("app-key"), 1);
    drop(clients);
    server.is_clean();
}

#[test]
fn while_the_store_is_away_what_is_known_goes_on() {
    for env in [&CACHED[..], &[]] {
        let store = two_apps();
        let server = started(env, &store);
        let mut client = server.connect();
        client.subscribe("a");
        store.set_mood(Mood::Fails);
        server.open("/app/other-key?protocol=7").expect_refusal(4100);
        assert_eq!(server.metrics().sum("app_store_up"), 0.0);
        let mut second = server.connect();
        second.subscribe("a");
        server.publish("a", "E", "data");
        client.expect_event("E", "a", "data");
        second.expect_event("E", "a", "data");

        let other = AppKeys::new("other-id", "other-key", "app-secret");
        let mut http = server.http();
        let body = br#"{"name":"E","channel":"a","data":""}"#;
        let refused = http.post(&other, "/events", body);
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
        assert_eq!(http.ask("GET", "/ready", &[], b"").status, 200, "the connection goes on");
        let metrics = server.metrics();
        assert_eq!(metrics.labelled("rejected_connections_total", "reason=\"unavailable\""), 1.0);

        store.set_mood(Mood::Answers);
        eventually("it is back", || http.post(&other, "/events", body).status == 200);
        drop(server.connect_to("other-key"));
        client.expect_silence();
        drop((client, second, http));
        server.is_clean();
    }
}

#[test]
fn a_store_that_hangs_keeps_nobody_waiting_for_long() {
    let store = two_apps();
    let server = started(&CACHED, &store);
    let mut client = server.connect();
    client.subscribe("a");
    store.set_mood(Mood::Hangs);
    let began = Instant::now();
    let mut waiting = Client::raw(server.address());
    waiting.write(&upgrade("/app/other-key?protocol=7", &[]));
    let other = AppKeys::new("other-id", "other-key", "app-secret");
    let mut http = Http::connect(server.address());
    http.write(&request("GET", &other.target("GET", "/channels", &[], b""), &[], b""));
    // Nobody else notices.
    client.expect_silence();
    assert_eq!(server.http().ask("GET", "/ready", &[], b"").status, 200);
    waiting.upgraded();
    waiting.expect_refusal(4100);
    assert_eq!(http.answer().status, 503);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(4), "{waited:?}");
    // By now the app has expired, and the store is held for dead.
    server.publish("a", "E", "data");
    client.expect_event("E", "a", "data");
    store.set_mood(Mood::Answers);
    drop((client, http));
    server.is_clean();
}

#[test]
fn a_node_is_not_ready_before_its_store_was_reached() {
    let store = two_apps();
    store.set_mood(Mood::Fails);
    let server = Server::with_store(&[], &store);
    let answer = server.http().ask("GET", "/ready", &[], b"");
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("fake"), "{}", answer.text());
    server.open("/app/app-key?protocol=7").expect_refusal(4100);
    store.set_mood(Mood::Answers);
    let ready = || server.http().ask("GET", "/ready", &[], b"").status == 200;
    eventually("it is ready", ready);
    store.set_mood(Mood::Fails);
    server.open("/app/other-key?protocol=7").expect_refusal(4100);
    assert_eq!(server.metrics().sum("app_store_up"), 0.0);
    assert!(ready(), "what is known goes on");
}

#[test]
fn a_flood_of_invented_keys_costs_few_questions_and_nobody_their_connection() {
    let store = two_apps();
    let server = started(&[], &store);
    let began = Instant::now();
    thread::scope(|scope| {
        for thread in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for n in 0..100 {
                    let target = format!("/app/invented-{thread}-{n}?protocol=7");
                    server.open(&target).expect_refusal(4001);
                }
            });
        }
        for _ in 0..50 {
            drop(server.connect());
        }
    });
    let most = began.elapsed().as_millis() as usize / 20 + 2;
    assert!(store.questions() <= most, "{} questions, {most} at most", store.questions());
    server.is_clean();
}

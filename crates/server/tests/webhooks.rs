//! What a backend is told of one node.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use serde_json::{Value, json};
use support::Server;
use testkit::eventually;
use testkit::http::AppKeys;
use testkit::target::{Manner, Target};

/// A server whose default app has these webhooks.
fn server(env: &[(&str, &str)], webhooks: Value) -> Server {
    Server::with_file(env, &apps(json!([app(&AppKeys::default(), webhooks)])))
}

fn apps(apps: Value) -> Value {
    json!({"appManager.array.apps": apps})
}

fn app(app: &AppKeys, webhooks: Value) -> Value {
    json!({
        "id": app.id, "key": app.key, "secret": app.secret,
        "enableClientMessages": true, "webhooks": webhooks,
    })
}

/// An event without more than a channel.
fn event(name: &str, channel: &str) -> Value {
    json!({"name": name, "channel": channel})
}

const ALL: [&str; 7] = [
    "channel_occupied",
    "channel_vacated",
    "member_added",
    "member_removed",
    "client_event",
    "cache_miss",
    "subscription_count",
];

/// Nobody waits for who might come back.
const NO_GRACE: (&str, &str) = ("WEBHOOKS_GRACE", "0");

#[test]
fn occupied_and_vacated_are_signed_and_said_once() {
    let target = Target::new();
    let server =
        server(&[NO_GRACE], json!([target.webhook(&["channel_occupied", "channel_vacated"])]));
    let (mut first, mut second) = (server.connect(), server.connect());
    first.subscribe("orders");
    second.subscribe("orders");
    second.unsubscribe("orders");
    second.expect_silence();
    first.close();
    let events = target.wait_for_events(2);
    assert_eq!(events, [event("channel_occupied", "orders"), event("channel_vacated", "orders")]);
    let received = &target.received()[0];
    assert!(received.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", received.head);
    assert_eq!(received.header("Content-Type"), "application/json");
    drop(second);
    server.is_clean();
}

#[test]
fn members_are_told_as_users_and_between_the_channel_s_own_events() {
    let target = Target::new();
    let server = server(&[NO_GRACE], json!([target.webhook(&ALL[..4])]));
    let mut tabs = [server.connect(), server.connect()];
    for tab in &mut tabs {
        tab.subscribe_signed("presence-room", Some(r#"{"user_id":7}"#));
    }
    tabs.into_iter().for_each(testkit::ws::Client::close);
    let member = |name: &str| json!({"name": name, "channel": "presence-room", "user_id": "7"});
    assert_eq!(
        target.wait_for_events(4),
        [
            event("channel_occupied", "presence-room"),
            member("member_added"),
            member("member_removed"),
            event("channel_vacated", "presence-room"),
        ]
    );
}

#[test]
fn who_is_back_within_the_grace_was_never_away() {
    let target = Target::new();
    let server = server(&[("WEBHOOKS_GRACE", "600000")], json!([target.webhook(&ALL[..4])]));
    let come = || {
        let mut client = server.connect();
        client.subscribe_signed("presence-room", Some(r#"{"user_id":"u"}"#));
        client
    };
    for _ in 0..5 {
        come().close();
    }
    server.connect().subscribe("last");
    let names = |event: &Value| event["name"].as_str().unwrap().to_owned();
    let mut said: Vec<String> = target.wait_for_events(3).iter().map(names).collect();
    said.sort();
    assert_eq!(said, ["channel_occupied", "channel_occupied", "member_added"]);
    // The end of the only node does not wait for the grace.
    drop(server);
    let mut said: Vec<String> = target.events()[3..].iter().map(names).collect();
    said.sort();
    assert_eq!(said, ["channel_vacated", "channel_vacated", "member_removed"]);
}

#[test]
fn client_events_carry_text_and_who_sent_them() {
    let target = Target::new();
    let server = server(&[], json!([target.webhook(&["client_event"])]));
    let mut client = server.connect();
    client.subscribe_signed("presence-room", Some(r#"{"user_id":7}"#));
    client.subscribe_signed("private-room", None);
    for channel in ["presence-room", "private-room"] {
        client.send_json(&json!({"event": "client-x", "channel": channel, "data": {"k": 1}}));
    }
    let socket_id = client.socket_id.clone();
    let sent = |channel: &str| {
        json!({"name": "client_event", "channel": channel, "event": "client-x",
               "data": "{\"k\":1}", "socket_id": socket_id})
    };
    let mut events = target.wait_for_events(2);
    events.sort_by_key(|event| event["channel"].to_string());
    let mut with_user = sent("presence-room");
    with_user["user_id"] = "7".into();
    assert_eq!(events, [with_user, sent("private-room")]);
}

#[test]
fn a_cache_miss_is_told_once_however_many_look() {
    let target = Target::new();
    let server = server(&[], json!([target.webhook(&["cache_miss"])]));
    for channel in ["cache-a", "cache-b", "cache-a", "cache-a", "cache-b"] {
        let mut client = server.connect();
        client.subscribe(channel);
        client.expect_event("pusher:cache_miss", channel, "{}");
    }
    server.publish("cache-c", "e", "1");
    server.connect().subscribe("cache-c");
    server.connect().subscribe("cache-d");
    let missed = |channel| event("cache_miss", channel);
    let mut events = target.wait_for_events(3);
    events.sort_by_key(|event| event["channel"].to_string());
    assert_eq!(events, [missed("cache-a"), missed("cache-b"), missed("cache-d")]);
}

#[test]
fn subscription_counts_are_told_without_being_sent_to_clients() {
    let target = Target::new();
    let server = server(&[], json!([target.webhook(&["subscription_count"])]));
    let mut first = server.connect();
    first.subscribe("a");
    let mut second = server.connect();
    second.subscribe("a");
    first.expect_silence();
    second.close();
    let counts: Vec<u64> = target
        .wait_for_events(3)
        .iter()
        .map(|event| event["subscription_count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn users_channels_have_no_webhooks() {
    let target = Target::new();
    let server = server(&[NO_GRACE], json!([target.webhook(&ALL)]));
    let mut client = server.connect();
    client.sign_in(r#"{"id":"u1"}"#);
    client.json();
    client.subscribe("plain");
    client.close();
    let events = target.wait_for_events(4);
    assert!(events.iter().all(|event| event["channel"] == "plain"), "{events:?}");
}

#[test]
fn each_target_has_its_own_events_and_no_body_holds_two_apps() {
    let (one, two) = (AppKeys::default(), AppKeys::new("other", "other-key", "other-secret"));
    let (private, any) = (Target::new(), Target::new());
    let mut filtered = private.webhook(&["channel_occupied"]);
    filtered["filter"] =
        json!({"channel_name_starts_with": "private-", "channel_name_ends_with": "-x"});
    filtered["headers"] = json!({"X-Tenant": "t", "x-pusher-key": "forged"});
    let any_hook = any.webhook(&["channel_occupied"]);
    let apps = apps(json!([app(&one, json!([filtered, any_hook])), app(&two, json!([any_hook])),]));
    let batching = [("WEBHOOKS_BATCHING", "true"), ("WEBHOOKS_BATCHING_DURATION", "200")];
    let server = Server::with_file(&batching, &apps);
    let mut client = server.connect();
    let mut other = server.connect_to(&two.key);
    for channel in ["a", "private-b", "private-c-x"] {
        client.ask_for_signed(channel, None);
        client.expect_subscribed(channel);
        other.subscribe(&format!("other-{channel}"));
    }
    any.wait_for("three events of each app", |received| {
        let events = |app: &AppKeys| {
            let of = received.iter().filter(|received| received.header("X-Pusher-Key") == app.key);
            of.map(|received| received.events_of(app).len()).sum::<usize>()
        };
        (events(&one), events(&two)) == (3, 3)
    });
    assert_eq!(private.wait_for_events(1), [event("channel_occupied", "private-c-x")]);
    assert_eq!(private.received()[0].header("X-Tenant"), "t");
    // Gathered, not one by one.
    assert!(any.received().len() < 6, "{:?}", any.received());
}

#[test]
fn a_target_that_fails_is_asked_again_and_hears_everything_in_order() {
    let (failing, well) = (Target::new(), Target::new());
    failing.set(Manner::Answers(500));
    let kinds = ["channel_occupied", "channel_vacated"];
    let server = server(&[NO_GRACE], json!([failing.webhook(&kinds), well.webhook(&kinds)]));
    for _ in 0..10 {
        let mut client = server.connect();
        client.subscribe("a");
        client.close();
    }
    let expected: Vec<Value> = (0..20).map(|turn| event(kinds[turn % 2], "a")).collect();
    assert_eq!(well.wait_for_events(20), expected);
    failing.wait_for("it was asked", |received| !received.is_empty());
    assert_eq!(failing.events(), Vec::<Value>::new());
    failing.set(Manner::Answers(200));
    assert_eq!(failing.wait_for_events(20), expected);
    let metrics = server.wait_for("everything is delivered", |metrics| {
        metrics.sum("webhook_events_delivered_total") == 40.0
    });
    assert!(metrics.labelled("webhook_attempts_total", "outcome=\"status\"") >= 1.0);
    assert_eq!(metrics.sum("webhooks_given_up_total"), 0.0);
}

#[test]
fn a_target_that_hangs_delays_nobody() {
    let (hanging, well) = (Target::new(), Target::new());
    hanging.set(Manner::Hangs);
    let kinds = ["channel_occupied"];
    let server = server(&[], json!([hanging.webhook(&kinds), well.webhook(&kinds)]));
    let mut client = server.connect();
    for number in 0..100 {
        client.subscribe(&format!("c{number}"));
    }
    assert_eq!(well.wait_for_events(100).len(), 100);
    let pending = || server.metrics().sum("webhooks_pending");
    eventually("what hangs is seen to wait", || pending() == 100.0);
}

#[test]
fn the_end_of_a_node_sends_what_is_left() {
    let target = Target::new();
    let batching = [("WEBHOOKS_BATCHING", "true"), ("WEBHOOKS_BATCHING_DURATION", "60000")];
    let server = server(&batching, json!([target.webhook(&["channel_occupied"])]));
    let mut client = server.connect();
    client.subscribe("a");
    drop(server);
    assert_eq!(target.events(), [event("channel_occupied", "a")]);
}

/// The outage of the next test.
const OUTAGE: std::time::Duration = std::time::Duration::from_secs(30);

#[test]
fn ten_thousand_changes_arrive_once_each_through_an_outage() {
    const CLIENTS: usize = 5;
    const CHANNELS: usize = 500;
    let both = [AppKeys::default(), AppKeys::new("other", "other-key", "other-secret")];
    let kinds = ["channel_occupied", "channel_vacated"];
    let filters = [
        json!({"channel_name_starts_with": "a-"}),
        json!({"channel_name_starts_with": "b-", "channel_name_ends_with": "-z"}),
    ];
    let targets: Vec<[Target; 2]> = (0..2).map(|_| [Target::new(), Target::new()]).collect();
    let hooks = |targets: &[Target; 2]| {
        let hook = |(target, filter): (&Target, &Value)| {
            target.set(Manner::Answers(500));
            let mut hook = target.webhook(&kinds);
            hook["filter"] = filter.clone();
            hook
        };
        targets.iter().zip(&filters).map(hook).collect()
    };
    let list = both.iter().zip(&targets).map(|(of, targets)| app(of, hooks(targets)));
    let server = Server::with_file(&[NO_GRACE], &apps(list.collect()));
    let start = std::time::Instant::now();
    let name = |client: usize, number: usize| {
        let prefix = ["a", "b"][number % 2];
        format!("{prefix}-{client}-{number}-{}", ["y", "z"][number / 2 % 2])
    };
    std::thread::scope(|scope| {
        for of in &both {
            for number in 0..CLIENTS {
                let mut client = server.connect_to(&of.key);
                scope.spawn(move || {
                    for channel in (0..CHANNELS).map(|channel| name(number, channel)) {
                        client.subscribe(&channel);
                        client.unsubscribe(&channel);
                    }
                    client.close();
                });
            }
        }
    });
    let all = || targets.iter().flatten();
    all().for_each(|target| target.wait_for("it was asked", |received| !received.is_empty()));
    std::thread::sleep(OUTAGE.saturating_sub(start.elapsed()));
    all().for_each(|target| target.set(Manner::Answers(200)));
    for (of, targets) in both.iter().zip(&targets) {
        for (target, pattern) in targets.iter().zip([("a-", ""), ("b-", "-z")]) {
            let names = (0..CLIENTS).flat_map(|client| (0..CHANNELS).map(move |n| name(client, n)));
            let fits = |name: &String| name.starts_with(pattern.0) && name.ends_with(pattern.1);
            let mut expected: Vec<String> = names.filter(fits).collect();
            target.wait_for("all of its events", |received| {
                received.iter().filter(|r| r.manner == Manner::Answers(200)).count()
                    >= 2 * expected.len()
            });
            let events = target.events_of(of);
            let of_kind = |kind: &str| -> Vec<String> {
                let named = events.iter().filter(|event| event["name"] == kind);
                named.map(|event| event["channel"].as_str().unwrap().to_owned()).collect()
            };
            expected.sort();
            for kind in kinds {
                let mut channels = of_kind(kind);
                channels.sort();
                assert_eq!(channels, expected, "{kind} for {pattern:?} of {}", of.id);
            }
            let at = |kind: &str, channel: &str| {
                events.iter().position(|event| event["name"] == kind && event["channel"] == channel)
            };
            for channel in &expected {
                assert!(at(kinds[0], channel) < at(kinds[1], channel), "{channel}");
            }
        }
    }
}

//! What every store does. Each test has a table of its own on a server that all share, unless it
//! stops the server.

use std::time::{Duration, Instant};

use app_stores::StoreError;
use config::{Secret, WebhookTarget};
use serde_json::{Value, json};

use crate::support::{Fixture, Proxy, configuration, find, ids, store, try_find, with};

/// Makes a test of each for one store.
macro_rules! suite {
    ($fixture:ty $(, #[$attribute:meta])*) => {
        $crate::suite::suite!(@ $fixture, [$(#[$attribute])*],
            what_a_table_must_have_makes_an_app what_a_table_may_have_is_in_the_app
            null_and_empty_are_the_defaults ids_and_keys_in_one_question
            broken_rows_do_not_hide_good_ones hostile_names_spoil_nothing
            names_are_compared_exactly as_many_as_a_batch a_change_is_seen_at_once
            a_missing_table_is_named a_stopped_server_comes_back silence_ends_in_time
            a_dead_connection_is_replaced_by_a_new_one nobody_listens);
    };
    (@ $fixture:ty, $attributes:tt, $($name:ident)*) => {
        $($crate::suite::suite!(% $fixture, $attributes, $name);)*
    };
    (% $fixture:ty, [$(#[$attribute:meta])*], $name:ident) => {
        #[tokio::test]
        $(#[$attribute])*
        async fn $name() {
            $crate::suite::$name::<$fixture>().await;
        }
    };
}
pub(crate) use suite;

/// Half a minute for a loaded machine, on top of what is promised.
const SLACK: Duration = Duration::from_secs(30);

/// A row with what every table has.
pub(crate) fn row(id: &str, key: &str) -> Value {
    json!({
        "id": id, "key": key, "secret": format!("secret of {id}"), "max_connections": 200,
        "enable_client_messages": 1, "enabled": 1, "max_backend_events_per_sec": -1,
        "max_client_events_per_sec": 50, "max_read_req_per_sec": -1,
    })
}

/// The same with other columns, or columns with other values.
pub(crate) fn row_with(id: &str, key: &str, columns: Value) -> Value {
    let mut row = row(id, key);
    row.as_object_mut().unwrap().extend(columns.as_object().unwrap().clone());
    row
}

pub(crate) async fn what_a_table_must_have_makes_an_app<F: Fixture>() {
    let (server, table) = (F::shared(), "least");
    server.table(table, &[row("app", "key")]).await;
    let options = server.options(table);
    let found = find(&store(&options), &["app"], &[]).await;
    let [app] = &found.apps[..] else { panic!("{found:?}") };
    assert_eq!((app.id.as_str(), app.key.as_str()), ("app", "key"));
    assert_eq!(app.secret, Secret::new("secret of app"));
    assert_eq!((app.enabled, app.enable_client_messages), (true, true));
    assert_eq!((app.max_connections, app.max_client_events_per_second), (Some(200), Some(50)));
    assert_eq!((app.max_backend_events_per_second, app.max_read_requests_per_second), (None, None));
    assert_eq!(app.limits, configuration(&options).limits);
    assert_eq!((app.webhooks.len(), app.enable_user_authentication), (0, false));
    assert_eq!(found.broken, []);
}

pub(crate) async fn what_a_table_may_have_is_in_the_app<F: Fixture>() {
    let (server, table) = (F::shared(), "most");
    let webhooks = json!([
        { "url": "https://example.com/it's", "event_types": ["channel_occupied", "member_added"],
          "headers": { "X-Custom": "\\ \" é" } },
        { "lambda_function": "f", "event_types": ["cache_miss"], "region": "eu-west-1" },
    ]);
    let columns = json!({
        "max_presence_members_per_channel": 3, "max_presence_member_size_in_kb": 4,
        "max_channel_name_length": 50, "max_event_channels_at_once": 6,
        "max_event_name_length": -1, "max_event_payload_in_kb": 0.1, "max_event_batch_size": 9,
        "enable_user_authentication": 1, "webhooks": webhooks, "enabled": 0,
        "allowed_origins": ["a.example", "https://b.example"],
    });
    server.table(table, &[row_with("app", "key", columns)]).await;
    let found = find(&store(&server.options(table)), &[], &["key"]).await;
    let [app] = &found.apps[..] else { panic!("{found:?}") };
    let limits = &app.limits;
    assert_eq!(limits.max_presence_members, Some(3));
    assert_eq!(limits.max_presence_member_size, Some(4 << 10));
    assert_eq!((limits.max_channel_name_length, limits.max_event_channels), (Some(50), Some(6)));
    assert_eq!((limits.max_event_name_length, limits.max_event_batch), (None, Some(9)));
    assert_eq!(limits.max_event_payload, Some(102));
    assert_eq!((app.enabled, app.enable_user_authentication), (false, true));
    assert_eq!(app.allowed_origins.len(), 2);
    let [first, second] = &app.webhooks[..] else { panic!("{app:?}") };
    assert_eq!(first.target, WebhookTarget::Url("https://example.com/it's".to_owned()));
    assert_eq!(first.headers, [("X-Custom".to_owned(), Secret::new("\\ \" é"))]);
    assert_eq!(first.event_types, ["channel_occupied", "member_added"]);
    assert!(matches!(&second.target, WebhookTarget::Lambda { region: Some(region), .. }
        if region == "eu-west-1"));
}

pub(crate) async fn null_and_empty_are_the_defaults<F: Fixture>() {
    let (server, table) = (F::shared(), "nulls");
    let columns = json!({
        "max_presence_members_per_channel": null, "max_event_payload_in_kb": null,
        "enable_user_authentication": null, "webhooks": null, "allowed_origins": null,
    });
    server.table(table, &[row_with("app", "key", columns), row("same", "other")]).await;
    let found = find(&store(&server.options(table)), &["app", "same"], &[]).await;
    let [one, other] = &found.apps[..] else { panic!("{found:?}") };
    assert_eq!((&one.limits, &one.webhooks), (&other.limits, &other.webhooks));
    assert_eq!(one.allowed_origins, []);
    assert!(!one.enable_user_authentication);
}

pub(crate) async fn ids_and_keys_in_one_question<F: Fixture>() {
    let (server, table) = (F::shared(), "both");
    let rows: Vec<Value> = (0..9).map(|n| row(&format!("a{n}"), &format!("k{n}"))).collect();
    server.table(table, &rows).await;
    let store = store(&server.options(table));
    for (by_id, by_key, expected) in [
        (&["a1"][..], &[][..], &["a1"][..]),
        (&[], &["k2"], &["a2"]),
        (&["a1", "a2", "a3"], &["k4", "k5"], &["a1", "a2", "a3", "a4", "a5"]),
        // One app by both of its names, and a name asked for twice.
        (&["a1", "a1"], &["k1", "k1", "k2"], &["a1", "a2"]),
        (&["unknown"], &["unknown"], &[]),
        (&["unknown", "a8"], &["unknown"], &["a8"]),
        // An id is no key, and a key no id.
        (&["k1"], &["a1"], &[]),
        (&[], &[], &[]),
    ] {
        let found = find(&store, by_id, by_key).await;
        assert_eq!(ids(&found), (expected.to_vec(), vec![]), "{by_id:?} {by_key:?}");
    }
}

pub(crate) async fn broken_rows_do_not_hide_good_ones<F: Fixture>() {
    let (server, table) = (F::shared(), "broken");
    let hidden = json!([{ "url": "nowhere", "headers": { "token": "hidden" } }]);
    server
        .table(
            table,
            &[
                row("good", "good-key"),
                row_with("hooks", "hooks-key", json!({ "webhooks": hidden })),
                row_with("limit", "limit-key", json!({ "max_connections": -5 })),
                row_with("secret", "secret-key", json!({ "secret": "" })),
                row("also-good", "a/b"),
            ],
        )
        .await;
    let store = store(&server.options(table));
    let found = find(&store, &["good", "hooks", "limit"], &["secret-key", "a/b"]).await;
    assert_eq!(ids(&found), (vec!["good"], vec!["also-good", "hooks", "limit", "secret"]));
    for (id, key, parts) in [
        ("hooks", "hooks-key", &["webhook 0: url must start with http:// or https://"][..]),
        ("limit", "limit-key", &["maxConnections = ", "-5", "must be an integer"]),
        ("secret", "secret-key", &["secret is missing"]),
        ("also-good", "a/b", &["key = \"a/b\": must be"]),
    ] {
        let broken = found.broken.iter().find(|broken| broken.id == id).unwrap();
        assert_eq!(broken.key, key);
        for part in parts {
            assert!(broken.error.contains(part), "{part}: {}", broken.error);
        }
        assert!(!broken.error.contains("hidden"), "{}", broken.error);
    }
}

pub(crate) async fn hostile_names_spoil_nothing<F: Fixture>() {
    let (server, table) = (F::shared(), "hostile");
    server.table(table, &[row("good", "good-key"), row("ünï-🐦", "schlüssel-🐦")]).await;
    let store = store(&server.options(table));
    let long = "x".repeat(3000);
    let longer = "x".repeat(1 << 20);
    let names = [
        "",
        "\0",
        "good\0",
        "good-key\0",
        "good'",
        "' OR '1'='1",
        "\" OR 1=1 --",
        "`; DROP TABLE hostile; --",
        "\\",
        "\\' OR 1=1 #",
        "%",
        "_ood",
        "$1",
        "?",
        ":key",
        "{}",
        "\u{202e}good",
        "😀",
        "\u{fffd}",
        "good\u{301}",
        "1e309",
        "NaN",
        "null",
        &long,
        &longer,
    ];
    for name in names {
        let found = find(&store, &[name, "good"], &[name, "schlüssel-🐦"]).await;
        let short: String = name.chars().take(30).collect();
        assert_eq!(ids(&found), (vec!["good", "ünï-🐦"], vec![]), "{short:?}");
    }
    let found = find(&store, &names, &names).await;
    assert_eq!(ids(&found), (vec![], vec![]));
}

pub(crate) async fn names_are_compared_exactly<F: Fixture>() {
    let (server, table) = (F::shared(), "exact");
    server.table(table, &[row("App", "Key"), row("7", "8")]).await;
    let store = store(&server.options(table));
    for name in ["app", "APP", "App ", " App", "key", "KEY", "Key ", "7.0", "07", "7x", "8e0"] {
        let found = find(&store, &[name], &[name]).await;
        assert_eq!(ids(&found), (vec![], vec![]), "{name:?}");
    }
    assert_eq!(ids(&find(&store, &["App"], &["8"]).await).0, ["7", "App"]);
}

pub(crate) async fn as_many_as_a_batch<F: Fixture>() {
    let (server, table) = (F::shared(), "batch");
    let rows: Vec<Value> = (0..20).map(|n| row(&format!("a{n}"), &format!("k{n}"))).collect();
    server.table(table, &rows).await;
    let store = store(&server.options(table));
    assert!(store.batch() >= 100, "{}", store.batch());
    // Most of them are not there, as in a flood of keys that somebody has made up.
    let half = store.batch() / 2;
    let by_id: Vec<String> = (0..half).map(|n| format!("a{n}")).collect();
    let by_key: Vec<String> = (10..10 + half).map(|n| format!("k{n}")).collect();
    let (by_id, by_key): (Vec<&str>, Vec<&str>) =
        (by_id.iter().map(String::as_str).collect(), by_key.iter().map(String::as_str).collect());
    let found = find(&store, &by_id, &by_key).await;
    assert_eq!((found.apps.len(), found.broken.len()), (20, 0));
}

pub(crate) async fn a_change_is_seen_at_once<F: Fixture>() {
    let (server, table) = (F::shared(), "change");
    server.table(table, &[row("app", "key")]).await;
    let store = store(&server.options(table));
    assert!(find(&store, &["app"], &[]).await.apps[0].enabled);
    server.table(table, &[row_with("app", "other", json!({ "enabled": 0 }))]).await;
    let found = find(&store, &["app"], &["key"]).await;
    assert_eq!((found.apps[0].key.as_str(), found.apps[0].enabled), ("other", false));
    server.table(table, &[]).await;
    assert_eq!(ids(&find(&store, &["app"], &["other"]).await), (vec![], vec![]));
}

pub(crate) async fn a_missing_table_is_named<F: Fixture>() {
    let server = F::shared();
    let store = store(&server.options("no-such-table"));
    let error = try_find(&store, &["app"], &["key"]).await.unwrap_err();
    assert!(matches!(error, StoreError::Table { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("{}: table no-such-table: ", store.name())), "{text}");
    server.table("no-such-table-yet", &[row("app", "key")]).await;
}

pub(crate) async fn a_stopped_server_comes_back<F: Fixture>() {
    let mut server = F::own();
    server.table("apps", &[row("app", "key")]).await;
    let store = store(&server.options("apps"));
    assert_eq!(ids(&find(&store, &["app"], &[]).await).0, ["app"]);
    server.stop();
    let begin = Instant::now();
    for _ in 0..3 {
        let error = try_find(&store, &[], &["key"]).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    }
    assert!(begin.elapsed() < SLACK, "{:?}", begin.elapsed());
    server.start_again();
    // moto forgets.
    server.table("apps", &[row("app", "key")]).await;
    assert_eq!(ids(&find(&store, &[], &["key"]).await).0, ["app"]);
}

pub(crate) async fn silence_ends_in_time<F: Fixture>() {
    let (server, table) = (F::shared(), "silence");
    server.table(table, &[row("app", "key")]).await;
    let proxy = Proxy::to(server.port()).await;
    let (name, address) = F::at_port(proxy.port);
    let store = store(&with(server.options(table), &[(name, &address)]));
    assert_eq!(ids(&find(&store, &["app"], &[]).await).0, ["app"]);
    proxy.silence();
    let begin = Instant::now();
    let error = try_find(&store, &["app"], &["key"]).await.unwrap_err();
    assert!(matches!(error, StoreError::TimedOut { .. }), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(5) + SLACK, "{:?}", begin.elapsed());
    proxy.pass();
    assert_eq!(ids(&find(&store, &["app"], &[]).await).0, ["app"]);
}

pub(crate) async fn a_dead_connection_is_replaced_by_a_new_one<F: Fixture>() {
    let (server, table) = (F::shared(), "dead");
    server.table(table, &[row("app", "key")]).await;
    let proxy = Proxy::to(server.port()).await;
    let (name, address) = F::at_port(proxy.port);
    let store = store(&with(server.options(table), &[(name, &address)]));
    for _ in 0..5 {
        assert_eq!(ids(&find(&store, &["app"], &[]).await).0, ["app"]);
    }
    assert!(proxy.accepted() == 1 || !F::KEEPS_CONNECTIONS, "a connection that works is kept");
    // The connection is dead without anybody saying so; the server is well.
    proxy.silence();
    proxy.pass();
    assert_eq!(ids(&find(&store, &["app"], &[]).await).0, ["app"]);
}

pub(crate) async fn nobody_listens<F: Fixture>() {
    let (server, table) = (F::shared(), "nobody");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (name, address) = F::at_port(listener.local_addr().unwrap().port());
    drop(listener);
    let store = store(&with(server.options(table), &[(name, &address)]));
    let error = try_find(&store, &["app"], &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
}

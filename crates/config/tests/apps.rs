//! Apps: where their fields come from, their effective limits, webhooks, reloading.

mod support;

use config::{AppConfig, Reloader, Warning, WebhookTarget};
use serde_json::{Value, json};
use support::{Setup, setup};

const APPS: &str = "appManager.array.apps";

fn two() -> Value {
    json!([
        { "id": 1, "key": "k1", "secret": "s1", "maxConnections": "10" },
        { "id": "2", "key": "k2", "secret": "s2" }
    ])
}

fn ids(apps: &[AppConfig]) -> Vec<&str> {
    apps.iter().map(|app| app.id.as_str()).collect()
}

#[test]
fn apps_are_nested_dotted_or_both() {
    let nested = json!({ "appManager": { "array": { "apps": two() } } });
    let files = [
        json!({ APPS: two() }),
        json!({ APPS: { "0": two()[0], "1": two()[1] } }),
        json!({
            "appManager.array.apps.1": two()[1],
            "appManager": { "array.apps.0.id": "1", "array": { "apps": { "0": { "key": "k1" } } } },
            "appManager.array.apps.0.secret": "s1",
            "appManager.array.apps.0.maxConnections": 10
        }),
    ];
    let expected = setup().file(&nested).load().config.apps;
    assert_eq!(ids(&expected), ["1", "2"]);
    assert_eq!(expected[0].max_connections, Some(10));
    for file in files {
        assert_eq!(setup().file(&file).load().config.apps, expected, "{file}");
    }
}

#[test]
fn default_app_variables_lie_over_the_first_app() {
    let s = setup()
        .file(&json!({ APPS: two() }))
        .env(&[("DEFAULT_APP_KEY", "over"), ("SOKETI_DEFAULT_APP_MAX_CONNS", "-1")])
        .env(&[("DEFAULT_APP_ENABLE_CLIENT_MESSAGES", "true"), ("DEFAULT_APP_ENABLED", "0")]);
    let apps = s.load().config.apps;
    assert_eq!((apps[0].id.as_str(), apps[0].key.as_str()), ("1", "over"));
    assert_eq!((apps[0].max_connections, apps[0].enable_client_messages), (None, true));
    assert!(!apps[0].enabled && apps[1].enabled);
    assert_eq!(apps[1].key, "k2");
}

#[test]
fn the_first_app_is_there_by_default_and_its_known_secret_is_pointed_out() {
    let loaded = setup().load();
    let app = &loaded.config.apps[0];
    assert_eq!((app.id.as_str(), app.key.as_str()), ("app-id", "app-key"));
    assert_eq!(app.secret.expose(), "app-secret");
    let key = "appManager.array.apps.0.secret".to_owned();
    assert_eq!(loaded.warnings, [Warning::DefaultSecret { key }]);
    assert_eq!(setup().env(&[("DEFAULT_APP_SECRET", "own")]).load().warnings, []);
    let none = setup().file(&json!({ APPS: [] })).load();
    assert_eq!((none.config.apps.len(), none.warnings), (0, vec![Warning::NoApps]));
    let one = setup().file(&json!({ APPS: [] })).env(&[("DEFAULT_APP_SECRET", "own")]).load();
    assert_eq!(ids(&one.config.apps), ["app-id"]);
}

#[test]
fn only_the_first_app_has_default_credentials() {
    let missing = |field: &str, index: usize| {
        format!(
            "appManager.array.apps.{index}.{field} (from config.json): missing; every app needs \
             an id, a key and a secret"
        )
    };
    let file = json!({ APPS: [{ "id": "a" }, { "id": "b", "key": "b" }] });
    assert_eq!(setup().file(&file).errors(), [missing("secret", 1)]);
    // An app without any field is not forgotten.
    let errors = setup().file(&json!({ APPS: [{}, {}] })).errors();
    assert_eq!(errors.len(), 3, "{errors:?}");
}

#[test]
fn a_limit_left_out_is_the_servers() {
    let s =
        setup().env(&[("EVENT_MAX_SIZE_IN_KB", "7"), ("PRESENCE_MAX_MEMBERS", "5")]).file(&json!({
            APPS: [
                { "id": "a", "key": "a", "secret": "a", "maxEventPayloadInKb": 0.5,
                  "maxChannelNameLength": 9, "maxPresenceMembersPerChannel": -1,
                  "maxEventBatchSize": null, "maxClientEventsPerSecond": 0 },
                { "id": "b", "key": "b", "secret": "b", "maxPresenceMemberSizeInKb": -1,
                  "maxEventNameLength": "3", "maxEventChannelsAtOnce": 4,
                  "enableUserAuthentication": 1, "enableSubscriptionCount": true }
            ]
        }));
    let config = s.load().config;
    let [a, b] = [&config.apps[0], &config.apps[1]];
    assert_eq!(a.limits.max_event_payload, Some(512));
    assert_eq!(a.limits.max_channel_name_length, Some(9));
    assert_eq!(a.limits.max_presence_members, None);
    assert_eq!(a.limits.max_event_batch, Some(10));
    assert_eq!(a.max_client_events_per_second, Some(0));
    assert_eq!(b.limits.max_event_payload, Some(7 * 1024));
    assert_eq!(b.limits.max_presence_members, Some(5));
    assert_eq!(b.limits.max_presence_member_size, None);
    assert_eq!((b.limits.max_event_name_length, b.limits.max_event_channels), (Some(3), Some(4)));
    assert!(b.enable_user_authentication && b.enable_subscription_count);
    assert!(!a.enable_user_authentication && !a.enable_subscription_count);
}

#[test]
fn webhooks_are_read_and_said_not_to_be_sent_yet() {
    let hooks = r#"[
        {"url": "https://a.example/hook", "event_types": ["channel_occupied", "member_add"],
         "headers": {"X-One": "1"}, "filter": {"channel_name_starts_with": "a-"}},
        {"lambda_function": "f", "event_types": ["client_event"], "region": "eu-west-1",
         "lambda": {"async": true, "client_options": {"x": 1}}}
    ]"#;
    let s = setup().env(&[("SOKETI_DEFAULT_APP_WEBHOOKS", hooks)]);
    let [first, second] = &s.load().config.apps[0].webhooks[..] else { panic!("two webhooks") };
    assert_eq!(first.target, WebhookTarget::Url("https://a.example/hook".to_owned()));
    assert_eq!(first.event_types, ["channel_occupied", "member_add"]);
    assert_eq!((first.headers[0].0.as_str(), first.headers[0].1.expose()), ("X-One", "1"));
    assert_eq!(first.channel_name_starts_with.as_deref(), Some("a-"));
    assert_eq!(first.channel_name_ends_with, None);
    let WebhookTarget::Lambda { function, asynchronous, region, client_options } = &second.target
    else {
        panic!("a lambda")
    };
    assert_eq!(
        (function.as_str(), *asynchronous, region.as_deref()),
        ("f", true, Some("eu-west-1"))
    );
    assert_eq!(client_options.0["x"], 1);
    assert_eq!(
        s.warnings(),
        ["appManager.array.apps.0.webhooks names the event type \"member_add\" (from \
             SOKETI_DEFAULT_APP_WEBHOOKS), which no webhook tells of; did you mean \"member_added\"?",]
    );
}

#[test]
fn broken_webhooks_are_errors() {
    for (hook, why) in [
        (json!({ "event_types": [] }), "webhook 0: has neither url nor lambda_function"),
        (
            json!({ "url": "https://a", "lambda_function": "f" }),
            "webhook 0: has both url and lambda_function",
        ),
        (
            json!({ "url": "a.example" }),
            "webhook 0: url must start with http:// or https:// and name a host",
        ),
        (
            json!({ "url": "https://a", "event_type": [] }),
            "webhook 0: unknown field \"event_type\", did you mean \"event_types\"?",
        ),
        (
            json!({ "url": "https://a", "event_types": "x" }),
            "webhook 0: event_types must be an array of strings",
        ),
        (
            json!({ "url": "https://a", "headers": { "A B": "x" } }),
            "webhook 0: headers has \"A B\" in it: not the name of a header",
        ),
        (
            json!({ "url": "https://a", "headers": { "A": "x\r\nB: y" } }),
            "webhook 0: headers.A must be a string on one line",
        ),
        (
            json!({ "url": "https://a", "filter": { "starts_with": "x" } }),
            "webhook 0: unknown field \"starts_with\", did you mean \"channel_name_starts_with\"?",
        ),
        (json!("x"), "webhook 0: not a JSON object"),
    ] {
        let errors = setup().file(&json!({ "appManager.array.apps.0.webhooks": [hook] })).errors();
        assert!(errors.len() == 1 && errors[0].ends_with(why), "{errors:?}");
    }
}

fn started(file: &Value) -> (Setup, Reloader) {
    let s = setup().file(file);
    let reloader = Reloader::new(s.sources.clone(), &s.load());
    (s, reloader)
}

#[test]
fn reloading_brings_new_apps_and_names_what_needs_a_restart() {
    let (s, reloader) = started(&json!({ APPS: [two()[0]], "port": 7000, "metrics.port": 1 }));
    let s = s.file(&json!({
        APPS: two(), "port": 7001, "eventLimits.maxBatchSize": 3, "metrics.port": 1
    }));
    let reloaded = reloader.reload().unwrap();
    assert_eq!(ids(&reloaded.apps), ["1", "2"]);
    assert_eq!(reloaded.needs_restart, ["port", "eventLimits.maxBatchSize"]);
    // The limits that need a restart do not sneak in through the apps.
    assert_eq!(reloaded.apps[0].limits.max_event_batch, Some(10));
    // The files of the start again: nothing has changed.
    let _s = s.file(&json!({ APPS: [], "port": 7000, "metrics.port": 1 }));
    let reloaded = reloader.reload().unwrap();
    assert_eq!((reloaded.apps.len(), reloaded.needs_restart.len()), (0, 0));
    assert_eq!(reloaded.warnings, [Warning::NoApps]);
}

#[test]
fn a_broken_file_is_not_taken_over() {
    let (s, reloader) = started(&json!({ APPS: two() }));
    let s = s.text("{");
    assert_eq!(reloader.reload().unwrap_err().0.len(), 1);
    let s = s.file(&json!({ APPS: [two()[0], two()[0]] }));
    assert_eq!(reloader.reload().unwrap_err().0.len(), 2);
    let _s = s.file(&json!({ APPS: two() }));
    assert_eq!(reloader.reload().unwrap().apps.len(), 2);
}

#[test]
fn an_app_from_its_fields_is_the_app_of_a_configuration() {
    let loaded = setup()
        .file(&json!({ "presence.maxMembersPerChannel": 7, "appManager.array.apps": [full_app()] }))
        .load();
    let app = config::app_from_json(full_app().as_object().unwrap(), &loaded.config.limits);
    assert_eq!(app.unwrap(), loaded.config.apps[0]);

    let least = json!({
        "id": 7, "key": "k", "secret": "s", "enabled": null, "webhooks": "", "maxConnections": null,
    });
    let app = config::app_from_json(least.as_object().unwrap(), &loaded.config.limits).unwrap();
    assert_eq!((app.id.as_str(), app.enabled, app.max_connections), ("7", true, None));
    assert_eq!((app.webhooks.len(), app.limits.clone()), (0, loaded.config.limits.clone()));
}

fn full_app() -> Value {
    json!({
        "id": "app", "key": "key", "secret": "secret", "enabled": 0, "maxConnections": "5",
        "enableClientMessages": "true", "maxClientEventsPerSecond": -1, "maxEventPayloadInKb": "0.5",
        "allowedOrigins": "a.example,b.example",
        "webhooks": r#"[{"url": "https://example.com", "event_types": ["channel_occupied"]}]"#,
    })
}

#[test]
fn fields_that_are_no_app_are_all_named_and_tell_no_secret() {
    let fields = json!({
        "key": "a b", "secret": "", "maxConnections": "many", "maxConnection": 1,
        "webhooks": r#"[{"url": "https://example.com", "headers": {"x": "hidden"}]"#,
    });
    let limits = setup().load().config.limits;
    let error = config::app_from_json(fields.as_object().unwrap(), &limits).unwrap_err();
    let text = error.to_string();
    for part in [
        "id is missing",
        r#"key = "a b": must be a string that is not empty and has no space"#,
        "secret is missing",
        r#"maxConnections = "many": must be an integer"#,
        r#"unknown field "maxConnection"; did you mean maxConnections?"#,
        "webhooks = **** (59 bytes that are not JSON): must be a JSON array of webhooks",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("hidden"), "{text}");
    assert_eq!(error.0.len(), 6);
}

#[test]
fn with_a_database_the_configured_apps_are_none() {
    let s = setup().env(&[("APP_MANAGER_DRIVER", "postgres")]);
    assert!(s.load().config.apps.is_empty());
    assert_eq!(s.warnings(), Vec::<String>::new());
}

//! What is wrong is said: all of it, in one run, with what was probably meant, and without secrets.

mod support;

use serde_json::json;
use support::setup;

#[test]
fn unknown_names_come_with_what_was_meant() {
    for (name, value, expected) in [
        (
            "SOKETI_ADAPTOR_DRIVER",
            "redis",
            "unknown option SOKETI_ADAPTOR_DRIVER = \"redis\" (from SOKETI_ADAPTOR_DRIVER); did you mean SOKETI_ADAPTER_DRIVER?",
        ),
        (
            "SOKETI_METRICS_PORT",
            "1",
            "unknown option SOKETI_METRICS_PORT = \"1\" (from SOKETI_METRICS_PORT); did you mean SOKETI_METRICS_SERVER_PORT?",
        ),
        (
            "SOKETI_QWERTZ",
            "1",
            "unknown option SOKETI_QWERTZ = \"1\" (from SOKETI_QWERTZ); no option has this name",
        ),
        (
            "SOKETI_DEFUALT_APP_SECRET",
            "hush",
            "unknown option SOKETI_DEFUALT_APP_SECRET = **** (from SOKETI_DEFUALT_APP_SECRET); did you mean SOKETI_DEFAULT_APP_SECRET?",
        ),
    ] {
        assert_eq!(setup().env(&[(name, value)]).errors(), [expected]);
    }
    for (file, expected) in [
        (
            json!({ "adaptor.driver": "redis" }),
            "unknown option adaptor.driver = \"redis\" (from config.json); did you mean adapter.driver?",
        ),
        (
            json!({ "adapter": { "redis": { "prefx": 1 } } }),
            "unknown option adapter.redis.prefx = 1 (from config.json); did you mean adapter.redis.prefix?",
        ),
        (json!({ "PORT": 1 }), "unknown option PORT = 1 (from config.json); did you mean port?"),
        (
            json!({ "DB_REDIS_HOST": "x" }),
            "unknown option DB_REDIS_HOST = \"x\" (from config.json); did you mean database.redis.host?",
        ),
        (
            json!({ "port.number": 1 }),
            "unknown option port.number = 1 (from config.json); no option has this name",
        ),
        (
            json!({ "appManager.array.apps": [{}, { "id": "b", "key": "b", "secret": "b", "maxConnection": 1 }] }),
            "unknown option appManager.array.apps.1.maxConnection = 1 (from config.json); did you mean appManager.array.apps.1.maxConnections?",
        ),
        (
            json!({ "zzz": { "password": "hush" } }),
            "unknown option zzz = {\"password\":\"****\"} (from config.json); no option has this name",
        ),
        (
            json!({ "database.redis.pasword": "hush" }),
            "unknown option database.redis.pasword = **** (from config.json); did you mean database.redis.password?",
        ),
    ] {
        assert_eq!(setup().file(&file).errors(), [expected]);
    }
}

#[test]
fn everything_wrong_is_said_in_one_run() {
    let s = setup()
        .env(&[("SOKETI_PORT", "x"), ("SOKETI_NOPE", "1"), ("PORT", "also wrong, but not ours")])
        .dotenv("SOKETI_DEBUG=perhaps\n")
        .file(&json!({
            "port": -1,
            "prot": 1,
            "ssl": { "certPath": "c" },
            "databasePooling": { "min": 9 },
            "appManager.array.apps": [
                { "id": "a", "key": "a", "secret": "s" },
                { "id": "a", "key": "b" },
                { "id": "c", "key": "a", "secret": "s", "maxConnections": -2 }
            ]
        }));
    let errors = s.errors();
    let expected = [
        "unknown option SOKETI_NOPE = \"1\" (from SOKETI_NOPE); no option has this name",
        "unknown option prot = 1 (from config.json); did you mean port?",
        "port = \"x\" (from SOKETI_PORT): must be an integer between 0 and 65535",
        "port = -1 (from config.json): must be an integer between 0 and 65535",
        "debug = \"perhaps\" (from SOKETI_DEBUG in .env): must be true or false",
        "appManager.array.apps.2.maxConnections = -2 (from config.json): must be an integer between -1 and 4294967295",
        "ssl.certPath is set without ssl.keyPath: tls needs both",
        "databasePooling.min = 9 is greater than databasePooling.max = 7",
        "appManager.array.apps.1.secret (from config.json): missing; every app needs an id, a key and a secret",
        "appManager.array.apps.1.id = \"a\" (from config.json): appManager.array.apps.0.id is the same; it must be unique",
        "appManager.array.apps.2.key = \"a\" (from config.json): appManager.array.apps.0.key is the same; it must be unique",
    ];
    for message in expected {
        assert!(errors.contains(&message.to_owned()), "{message} is not in\n{}", errors.join("\n"));
    }
    assert_eq!(errors.len(), expected.len(), "{}", errors.join("\n"));
}

#[test]
fn a_value_that_does_not_fit_is_wrong_even_where_a_stronger_one_hides_it() {
    let s = setup().env(&[("PORT", "1")]).file(&json!({ "port": "x" }));
    assert_eq!(s.errors().len(), 1);
}

#[test]
fn options_without_effect_are_named() {
    let s = setup().env(&[("SOKETI_ADAPTER_NATS_NODES_NUMBER", "3")]).file(&json!({
        "appManager": { "mysql": { "version": 8.0, "useMysql2": true }, "postgres.version": "14" },
        "cluster.masterTimeout": 2000
    }));
    assert_eq!(
        s.warnings(),
        [
            "appManager.mysql.version (from config.json) has no effect: the driver speaks to every version",
            "appManager.mysql.useMysql2 (from config.json) has no effect: there is one mysql driver only",
            "appManager.postgres.version (from config.json) has no effect: the driver speaks to every version",
            "adapter.nats.nodesNumber (from SOKETI_ADAPTER_NATS_NODES_NUMBER) has no effect: the number of nodes is known, not guessed",
            "cluster.masterTimeout (from config.json) has no effect: there is no master",
        ]
    );
}

#[test]
fn secrets_stay_out_of_the_table_and_of_debug() {
    let s = setup()
        .env(&[
            ("DEFAULT_APP_SECRET", "hush"),
            ("DB_REDIS_PASSWORD", "hush"),
            ("DB_REDIS_SENTINEL_PASSWORD", "hush"),
            ("ADAPTER_NATS_TOKEN", "hush"),
            ("ADAPTER_NATS_SERVERS", r#"["nats://me:hush@a:4222", "b:1"]"#),
            ("SSL_PASS", "hush"),
        ])
        .file(&json!({
            "queue.redis.redisOptions": { "tls": { "passphrase": "hush" }, "port": 1 },
            "appManager.array.apps.0.webhooks":
                [{ "url": "https://me:hush@x.example/", "headers": { "X-Mine": "hush" } }]
        }));
    let loaded = s.load();
    let table = config::table(&loaded.provenance);
    let debug = format!("{:?}", loaded.config.database) + &format!("{:?}", loaded.config.queue);
    assert!(!table.contains("hush") && !debug.contains("hush"), "{table}{debug}");
    assert!(table.contains(r#"["nats://****@a:4222","b:1"]"#), "{table}");
    assert!(table.contains(r#"{"port":1,"tls":{"passphrase":"****"}}"#), "{table}");
    assert!(!format!("{:?}", loaded.config.apps).contains("\"hush\""));
}

#[test]
fn the_table_marks_what_is_not_the_default() {
    let s = setup().env(&[("SOKETI_PORT", "7000"), ("DEBUG", "false")]);
    let table = config::table(&s.load().provenance);
    let line = |key: &str| {
        let line = table.lines().find(|line| line[2..].split(' ').next() == Some(key)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("port"), "* port 7000 SOKETI_PORT");
    assert_eq!(line("debug"), "debug false DEBUG");
    assert_eq!(line("pathPrefix"), "pathPrefix \"\" default");
    assert_eq!(
        line("appManager.array.apps.0.secret"),
        "appManager.array.apps.0.secret **** default"
    );
    assert_eq!(table.lines().count(), 1 + config::options::all().count());
}

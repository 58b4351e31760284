//! Types, ranges, conversions, units.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::time::Duration;

use config::{AdapterDriver, Config, LogFormat, Mode, NodeAddress, OriginPattern, SqlSslMode};
use serde_json::{Value, json};
use support::setup;

fn from_env(name: &str, value: &str) -> Config {
    setup().env(&[(&format!("SOKETI_{name}"), value)]).load().config
}

fn from_file(key: &str, value: Value) -> Config {
    setup().file(&json!({ key: value })).load().config
}

#[test]
fn the_defaults_in_the_units_of_the_server() {
    let c = setup().load().config;
    assert_eq!((c.host.as_str(), c.port, c.path_prefix.as_str()), ("0.0.0.0", 6001, ""));
    assert_eq!((c.mode, c.debug, c.shards, c.log.format), (Mode::Full, false, 0, LogFormat::Text));
    assert_eq!(c.activity_timeout, Duration::from_secs(30));
    assert_eq!(c.pong_timeout, Duration::from_secs(30));
    assert_eq!(c.user_authentication_timeout, Duration::from_millis(30_000));
    assert_eq!(c.shutdown_grace, Duration::from_secs(3));
    assert_eq!(c.limits.max_channel_name_length, Some(200));
    assert_eq!(c.limits.max_event_name_length, Some(200));
    assert_eq!(c.limits.max_event_payload, Some(100 * 1024));
    assert_eq!(c.limits.max_event_channels, Some(100));
    assert_eq!(c.limits.max_event_batch, Some(10));
    assert_eq!(c.limits.max_presence_members, Some(100));
    assert_eq!(c.limits.max_presence_member_size, Some(2048));
    assert_eq!(c.connection.max_pending, 1 << 20);
    assert_eq!(c.connection.max_frame, 208 * 1024);
    assert_eq!(c.connection.max_subscriptions, 1000);
    assert_eq!((c.inbox.max_events, c.inbox.max_bytes), (65_536, 64 << 20));
    assert_eq!((c.http.max_request, c.http.memory_threshold), (100 << 20, 85.0));
    assert_eq!(c.http.keep_alive_timeout, Duration::from_secs(75));
    assert_eq!((c.cache.ttl, c.cache.max_bytes), (Some(Duration::from_secs(3600)), 64 << 20));
    assert_eq!(c.ssl, None);
    assert_eq!(
        (c.metrics.enabled, c.metrics.port, c.metrics.prefix.as_str()),
        (false, 9601, "soketi_")
    );
    assert_eq!((c.cluster.port, c.cluster.node_timeout), (11002, Duration::from_secs(2)));
    assert_eq!(c.app_manager.cache_ttl, None);
    assert_eq!((c.apps.len(), c.apps[0].max_connections), (1, None));
    assert_eq!(c.apps[0].limits, c.limits);
}

#[test]
fn booleans() {
    for (text, expected) in [
        ("true", true),
        ("1", true),
        ("True", true),
        ("yes", true),
        ("on", true),
        ("\"true\"", true),
        ("false", false),
        ("0", false),
        ("FALSE", false),
        ("no", false),
        ("off", false),
    ] {
        assert_eq!(from_env("DEBUG", text).debug, expected, "{text}");
    }
    for value in [json!(true), json!(1), json!("1"), json!("true"), json!("yes")] {
        assert!(from_file("debug", value).debug);
    }
    for value in [json!(2), json!("maybe"), json!(null), json!([true]), json!({}), json!("")] {
        let errors = setup().file(&json!({ "debug": value })).errors();
        assert_eq!(errors, [format!("debug = {value} (from config.json): must be true or false")]);
    }
}

#[test]
fn numbers() {
    for value in [json!(7001), json!("7001"), json!(" 7001 "), json!(7001.0), json!("7001.0")] {
        assert_eq!(from_file("port", value).port, 7001);
    }
    assert_eq!(from_env("PORT", "0").port, 0);
    assert_eq!(from_env("PORT", "65535").port, 65535);
    for text in ["-1", "65536", "1e9", "6001.5", "abc", "", "NaN", "99999999999999999999", "[1]"] {
        let errors = setup().env(&[("SOKETI_PORT", text)]).errors();
        assert!(
            errors.len() == 1
                && errors[0].starts_with("port = ")
                && errors[0]
                    .ends_with("(from SOKETI_PORT): must be an integer between 0 and 65535"),
            "{text}: {errors:?}"
        );
    }
    assert_eq!(from_env("EVENT_MAX_SIZE_IN_KB", "0.5").limits.max_event_payload, Some(512));
    assert_eq!(from_env("HTTP_MAX_REQUEST_SIZE", "1.5").http.max_request, 3 << 19);
    for text in ["-1", "0", "inf", "NaN", "1e300"] {
        assert_eq!(
            setup().env(&[("SOKETI_EVENT_MAX_SIZE_IN_KB", text)]).errors().len(),
            1,
            "{text}"
        );
    }
}

/// Each bound of each option: the bound itself is in, one beyond is out.
#[test]
fn every_range_is_kept() {
    for spec in config::options::all().filter(|spec| spec.env.is_some()) {
        let config::Kind::Int { min, max } = spec.kind else { continue };
        let name = format!("SOKETI_{}", spec.env.unwrap());
        for (value, fits) in [(min, true), (max, true), (min - 1, false), (max + 1, false)] {
            let text = value.to_string();
            // Two of them also depend on each other.
            let s = setup().env(&[(&name, &text)]);
            let s = if spec.key == "databasePooling.min" {
                s.env(&[("SOKETI_DB_POOLING_MAX", "10000")])
            } else if spec.key == "databasePooling.max" {
                s.env(&[("SOKETI_DB_POOLING_MIN", "0")])
            } else {
                s
            };
            assert_eq!(s.try_load().is_ok(), fits, "{name}={text}");
        }
    }
}

#[test]
fn text_from_the_environment_stays_what_was_written() {
    for (text, expected) in [
        ("007", "007"),
        ("123", "123"),
        ("1e5", "1e5"),
        ("true", "true"),
        ("{x", "{x"),
        ("[1]", "[1]"),
        ("\"quoted\"", "quoted"),
        ("12345678901234567890123", "12345678901234567890123"),
    ] {
        assert_eq!(from_env("DEFAULT_APP_SECRET", text).apps[0].secret.expose(), expected);
    }
    let app = "appManager.array.apps.0.id";
    assert_eq!(from_file(app, json!(42)).apps[0].id, "42");
    assert_eq!(from_file(app, json!(18446744073709551615u64)).apps[0].id, "18446744073709551615");
    for value in [json!(1.5), json!(1e30), json!(""), json!("a b"), json!("a/b"), json!(null)] {
        assert_eq!(setup().file(&json!({ app: value })).errors().len(), 1, "{value}");
    }
}

#[test]
fn nothing_and_null_unset_an_optional_value() {
    for value in [json!(null), json!("")] {
        assert_eq!(from_file("database.redis.password", value).database.redis.password, None);
    }
    assert_eq!(from_env("DB_REDIS_PASSWORD", "").database.redis.password, None);
    assert_eq!(from_env("DEFAULT_APP_USER_AUTHENTICATION", ""), setup().load().config);
    let errors = setup().file(&json!({ "port": null })).errors();
    assert_eq!(errors, ["port = null (from config.json): must be an integer between 0 and 65535"]);
}

#[test]
fn path_prefixes_are_normalised() {
    for (text, expected) in [("", ""), ("/", ""), ("/ws", "/ws"), ("ws/", "/ws"), ("/a/b/", "/a/b")]
    {
        assert_eq!(from_env("PATH_PREFIX", text).path_prefix, expected);
    }
    for text in ["/a b", "/a?b", "/a//b", "/ä", "/a#"] {
        assert_eq!(setup().env(&[("SOKETI_PATH_PREFIX", text)]).errors().len(), 1, "{text}");
    }
}

#[test]
fn hosts_are_addresses_or_names() {
    for text in ["127.0.0.1", "::1", "[::]", "localhost", "node-1.example.com"] {
        assert_eq!(from_env("HOST", text).host, text);
    }
    for text in ["", "a b", "999.1.1.1", "-a", "http://x", "a_b", "127.0.0.1:80"] {
        assert_eq!(setup().env(&[("SOKETI_HOST", text)]).errors().len(), 1, "{text}");
    }
}

#[test]
fn names_are_chosen_from_a_list() {
    assert_eq!(from_env("ADAPTER_DRIVER", "redis").adapter.driver, AdapterDriver::Redis);
    assert_eq!(from_env("LOG_FORMAT", "json").log.format, LogFormat::Json);
    assert_eq!(
        setup().env(&[("SOKETI_ADAPTER_DRIVER", "rediss")]).errors(),
        ["adapter.driver = \"rediss\" (from SOKETI_ADAPTER_DRIVER): must be one of \"local\", \
          \"cluster\", \"redis\", \"nats\"; did you mean \"redis\"?"]
    );
    assert_eq!(
        setup().env(&[("SOKETI_METRICS_DRIVER", "statsd")]).errors(),
        ["metrics.driver = \"statsd\" (from SOKETI_METRICS_DRIVER): must be \"prometheus\""]
    );
}

#[test]
fn lists_are_json_or_separated_by_commas() {
    let expected = ["a:1", "b:2"];
    for text in ["a:1,b:2", " a:1 , b:2, ", r#"["a:1", "b:2"]"#] {
        assert_eq!(from_env("CLUSTER_UNICAST_ADDRESSES", text).cluster.unicast, expected);
    }
    assert_eq!(from_file("cluster.unicast", json!("a:1,b:2")).cluster.unicast, expected);
    assert_eq!(
        from_file("cors.origin", json!("https://a.example")).cors.origin,
        ["https://a.example"]
    );
    assert_eq!(
        setup().file(&json!({ "cors.methods": ["GET", "A B"] })).errors(),
        [
            "cors.methods = [\"GET\",\"A B\"] (from config.json): must be a list of HTTP tokens such \
          as [\"GET\", \"POST\"]; item 1 does not fit: \"A B\""
        ]
    );
    let nets = from_env("TRUSTED_PROXIES", "10.1.2.3/8, 192.168.0.1, ::1").trusted_proxies;
    let nets: Vec<String> = nets.iter().map(ToString::to_string).collect();
    assert_eq!(nets, ["10.0.0.0/8", "192.168.0.1/32", "::1/128"]);
    assert_eq!(setup().env(&[("SOKETI_TRUSTED_PROXIES", "10.0.0.0/33")]).errors().len(), 1);
}

#[test]
fn nodes_are_objects_or_text() {
    let node = |host: &str, port| NodeAddress { host: host.to_owned(), port };
    let text = r#"[{"host": "a", "port": 1}, {"host": "b", "port": "2"}, {"host": "c"}, "d:4"]"#;
    assert_eq!(
        from_env("DB_REDIS_SENTINELS", text).database.redis.sentinels,
        [node("a", 1), node("b", 2), node("c", 26_379), node("d", 4)]
    );
    assert_eq!(
        from_env("DB_REDIS_CLUSTER_NODES", "::1,[::1]:7").database.redis.cluster_nodes,
        [node("::1", 6_379), node("[::1]", 7)]
    );
    for text in [r#"[{"port": 1}]"#, r#"[{"host": "a", "prot": 1}]"#, "[1]", "a:0", "a:x", "{}"] {
        assert_eq!(setup().env(&[("SOKETI_DB_REDIS_SENTINELS", text)]).errors().len(), 1, "{text}");
    }
}

#[test]
fn objects_are_json() {
    let config = from_env("QUEUE_SQS_CLIENT_OPTIONS", r#"{"a": {"b": 1}}"#);
    assert_eq!(config.queue.sqs.client_options.0["a"], json!({ "b": 1 }));
    let sentinel = r#"[{"host": "a", "password": "hush"}]"#;
    let errors = setup().env(&[("SOKETI_DB_REDIS_SENTINELS", sentinel)]).errors();
    assert!(errors[0].contains("item 0 does not fit") && !errors[0].contains("hush"), "{errors:?}");
    let errors = setup().env(&[("SOKETI_QUEUE_REDIS_OPTIONS", "{password: 'hush'}")]).errors();
    assert_eq!(
        errors,
        ["queue.redis.redisOptions = **** (18 bytes that are not JSON) \
          (from SOKETI_QUEUE_REDIS_OPTIONS): must be a JSON object"]
    );
}

#[test]
fn tls_needs_certificate_and_key() {
    let cert = [("SSL_CERT", "c.pem"), ("SSL_KEY", "k.pem")];
    let ssl = setup().env(&cert).load().config.ssl.unwrap();
    assert_eq!((ssl.client_ca, ssl.require_client_cert, ssl.passphrase), (None, false, None));
    let with_ca = |more: &[(&str, &str)]| {
        setup().env(&cert).env(&[("SSL_CA", "ca.pem")]).env(more).load().config.ssl.unwrap()
    };
    assert!(!with_ca(&[]).require_client_cert);
    assert!(with_ca(&[("SSL_REQUIRE_CLIENT_CERT", "true")]).require_client_cert);
    assert_eq!(
        setup().env(&cert[..1]).errors(),
        ["ssl.certPath is set without ssl.keyPath: tls needs both"]
    );
    assert_eq!(setup().env(&cert[1..]).errors().len(), 1);
    assert_eq!(setup().env(&[("SOKETI_SSL_REQUIRE_CLIENT_CERT", "1")]).errors().len(), 1);
    assert_eq!(
        setup().env(&[("SSL_CA", "ca.pem")]).warnings(),
        ["ssl.caPath (from SSL_CA) has no effect: tls is off without ssl.certPath and ssl.keyPath"]
    );
}

#[test]
fn the_automatic_frame_limit_follows_the_payload_limits() {
    let app = |kb: Value| json!({ "appManager.array.apps.0.maxEventPayloadInKb": kb });
    let frame = |s: support::Setup| s.load().config.connection.max_frame;
    assert_eq!(frame(setup().env(&[("EVENT_MAX_SIZE_IN_KB", "10")])), 128 << 10);
    assert_eq!(frame(setup().file(&app(json!(1000)))), 2008 << 10);
    assert_eq!(frame(setup().file(&app(json!(-1)))), 16 << 20);
    assert_eq!(frame(setup().file(&app(json!(-1))).env(&[("CONNECTION_MAX_FRAME_KB", "3")])), 3072);
}

#[test]
fn origins() {
    let cases: [(&str, &[&str], &[&str]); 6] = [
        ("*", &["https://a.example", "null"], &[]),
        (
            "https://example.com",
            &["https://example.com", "https://EXAMPLE.com", "https://example.com:443"],
            &["http://example.com", "https://example.com:8443", "https://a.example.com", "null"],
        ),
        ("https://example.com:8443", &["https://example.com:8443"], &["https://example.com"]),
        (
            "https://*.example.com",
            &["https://a.example.com", "https://a.b.example.com"],
            &["https://example.com", "https://.example.com", "https://example.com.evil", "x"],
        ),
        (
            "example.com",
            &["http://example.com", "https://example.com:1"],
            &["https://notexample.com", "https://example.com.evil.org"],
        ),
        (
            "http://localhost:*",
            &["http://localhost:3000", "http://localhost"],
            &["https://localhost"],
        ),
    ];
    for (pattern, matching, others) in cases {
        let parsed = OriginPattern::parse(pattern).unwrap();
        for origin in matching {
            assert!(parsed.matches(origin), "{pattern} {origin}");
        }
        for origin in others {
            assert!(!parsed.matches(origin), "{pattern} {origin}");
        }
    }
    for broken in
        ["", "https://", "https://a/b", "a.*.b", "*b", "https://a:x", "1s://a", "a b", "."]
    {
        assert_eq!(OriginPattern::parse(broken), None, "{broken}");
    }
    let app = from_env("DEFAULT_APP_ALLOWED_ORIGINS", "https://a.example").apps.remove(0);
    assert!(app.allows_origin(None) && app.allows_origin(Some("https://a.example")));
    assert!(!app.allows_origin(Some("https://b.example")));
    assert!(setup().load().config.apps[0].allows_origin(Some("https://b.example")));
}

#[test]
fn the_proxy_protocol_needs_proxies_to_trust() {
    let on = setup().env(&[("PROXY_PROTOCOL", "true")]);
    assert_eq!(
        on.warnings(),
        ["proxyProtocol (from PROXY_PROTOCOL) has no effect: trustedProxies is empty, so no \
          connection may start with a header"]
    );
    let trusting = [("PROXY_PROTOCOL", "true"), ("TRUSTED_PROXIES", "10.0.0.0/8")];
    assert_eq!(setup().env(&trusting).warnings(), [""; 0]);
}

#[test]
fn how_connections_to_sql_databases_are_encrypted() {
    let mode = |variables: &[(&str, &str)]| {
        let database = setup().env(variables).load().config.database;
        (database.mysql.ssl_mode(), database.postgres.ssl_mode())
    };
    assert_eq!(mode(&[]), (SqlSslMode::Prefer, SqlSslMode::Prefer));
    // Who names an authority wants it to be asked.
    let ca = ("DB_POSTGRES_SSL_CA", "/ca.pem");
    assert_eq!(mode(&[ca]), (SqlSslMode::Prefer, SqlSslMode::VerifyFull));
    let chosen = [ca, ("DB_POSTGRES_SSL_MODE", "verify-ca"), ("DB_MYSQL_SSL_MODE", "disable")];
    assert_eq!(mode(&chosen), (SqlSslMode::Disable, SqlSslMode::VerifyCa));
    let errors = setup().env(&[("SOKETI_DB_MYSQL_SSL_MODE", "verify")]).errors();
    assert!(errors[0].contains("must be one of \"prefer\", \"disable\""), "{errors:?}");

    let url = [("DB_MYSQL_URL", "mysql://user:hidden@host/db")];
    let loaded = setup().env(&url).load();
    let table = config::table(&loaded.provenance);
    assert!(!table.contains("hidden") && !format!("{:?}", loaded.config).contains("hidden"));
}

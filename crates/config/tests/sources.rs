//! Which source wins, and what each of them may look like.

mod support;

use config::Source;
use serde_json::json;
use support::setup;

/// Every source gives the port; each is taken away in turn, the strongest first.
#[test]
fn the_strongest_source_wins() {
    let env = [("SOKETI_PORT", "1"), ("PORT", "2")];
    let dotenv = ["SOKETI_PORT=3\n", "PORT=4\n"];
    for weakest in 0..=5 {
        let mut s = setup();
        s = s.env(&env[weakest.min(2)..]);
        // The bare name stands first: order does not decide.
        let lines: String =
            dotenv[weakest.saturating_sub(2).min(2)..].iter().rev().copied().collect();
        s = s.dotenv(&lines);
        if weakest <= 4 {
            s = s.file(&json!({ "port": 5 }));
        }
        let expected = [1, 2, 3, 4, 5, 6001][weakest];
        let loaded = s.load();
        assert_eq!(loaded.config.port, expected);
        let origin = &loaded.provenance.get("port").unwrap().origin;
        let expected = match weakest {
            0 => Source::Env { name: "SOKETI_PORT".to_owned() },
            1 => Source::Env { name: "PORT".to_owned() },
            2 => Source::DotEnv { path: s.dir.join(".env"), name: "SOKETI_PORT".to_owned() },
            3 => Source::DotEnv { path: s.dir.join(".env"), name: "PORT".to_owned() },
            4 => Source::File { path: s.path() },
            _ => Source::Default,
        };
        assert_eq!(*origin, expected);
    }
}

#[test]
fn keys_are_dotted_nested_or_both() {
    let files = [
        json!({ "adapter.redis.prefix": "x", "adapter.redis.clusterMode": true }),
        json!({ "adapter": { "redis": { "prefix": "x", "clusterMode": true } } }),
        json!({ "adapter.redis": { "prefix": "x" }, "adapter": { "redis.clusterMode": true } }),
    ];
    for file in files {
        let redis = setup().file(&file).load().config.adapter.redis;
        assert_eq!((redis.prefix.as_str(), redis.cluster_mode), ("x", true), "{file}");
    }
}

#[test]
fn parts_of_structured_options_have_keys_too() {
    let whole = json!({ "adapter.redis.redisSubOptions": { "host": "h", "tls": { "ca": "c" } } });
    let parts = [
        json!({
            "adapter.redis.redisSubOptions.host": "h",
            "adapter": { "redis.redisSubOptions": { "tls": { "ca": "c" } } }
        }),
        json!({
            "adapter.redis": { "redisSubOptions": { "host": "h" } },
            "adapter.redis.redisSubOptions.tls.ca": "c"
        }),
    ];
    let expected = setup().file(&whole).load().config;
    for file in parts {
        assert_eq!(setup().file(&file).load().config, expected, "{file}");
    }
    let servers = json!({ "adapter.nats.servers.0": "a:1", "adapter.nats.servers.1": "b:2" });
    assert_eq!(setup().file(&servers).load().config.adapter.nats.servers, ["a:1", "b:2"]);
}

#[test]
fn a_key_given_twice_is_an_error_unless_both_agree() {
    let agree = json!({ "port": 1, "metrics.port": 2, "metrics": { "port": 2 } });
    assert_eq!(setup().file(&agree).load().config.metrics.port, 2);
    let differ = json!({ "metrics.port": 2, "metrics": { "port": 3 } });
    assert_eq!(
        setup().file(&differ).errors(),
        ["metrics.port (from config.json): given twice, as 3 and as 2; remove one of the two"]
    );
    assert_eq!(
        setup().text(r#"{"port": 1, "port": 2}"#).errors(),
        ["port (from config.json): given twice, as 1 and as 2; remove one of the two"]
    );
    let part = r#"{"queue.sqs.clientOptions": {"a": 1}, "queue.sqs.clientOptions.a": 2}"#;
    assert_eq!(
        setup().text(part).errors(),
        ["queue.sqs.clientOptions.a (from config.json): given twice, as 1 and as 2; \
          remove one of the two"]
    );
    let secret =
        r#"{"database.redis.password": "one", "database": {"redis": {"password": "hush2"}}}"#;
    let errors = setup().text(secret).errors();
    assert!(!errors[0].contains("hush") && errors[0].contains("****"), "{errors:?}");
}

#[test]
fn a_group_is_not_an_option() {
    for file in
        [json!({ "adapter": "redis" }), json!({ "adapter": "redis", "adapter.driver": "nats" })]
    {
        assert_eq!(
            setup().file(&file).errors(),
            [r#"adapter = "redis" (from config.json): must be a JSON object of options"#]
        );
    }
    assert!(setup().file(&json!({ "adapter": {}, "metrics": { } })).try_load().is_ok());
}

#[test]
fn files_that_cannot_be_used_are_errors() {
    for (text, reason) in [
        ("", "config.json is not a JSON object: EOF while parsing a value at line 1 column 0"),
        ("[1]", "config.json is not a JSON object: it is [1]"),
        ("{\n\"port\": }", "config.json is not a JSON object: expected value at line 2 column 9"),
    ] {
        assert_eq!(setup().text(text).errors(), [reason]);
    }
    assert_eq!(setup().text("\u{feff}{\"port\": 7}").load().config.port, 7);
    let mut s = setup();
    s.sources.config_file = Some(s.dir.join("none.json"));
    assert_eq!(s.errors(), ["cannot read none.json: no such file or directory (os error 2)"]);
    s.sources.config_file = Some(s.dir.clone());
    assert_eq!(s.errors().len(), 1);
}

#[test]
fn a_dotenv_folder_is_somebody_elses() {
    let s = setup();
    std::fs::create_dir(s.dir.join(".env")).unwrap();
    assert_eq!(s.warnings(), Vec::<String>::new());
}

#[test]
fn a_dotenv_file_takes_both_forms() {
    let s = setup().dotenv(concat!(
        "# Laravel's own things are none of ours\n",
        "APP_NAME=Laravel\n",
        "export SOKETI_METRICS_ENABLED=1 # on\n",
        "DEFAULT_APP_KEY='k#k'\n",
        "DEFAULT_APP_ID='x' # comment\n",
        "SOKETI_DEFAULT_APP_SECRET=\"s s\"\n",
        "broken\n",
    ));
    // A `#` cannot stand in a URL, so it is not a key: the bare name is passed over.
    let loaded = s.load();
    let app = &loaded.config.apps[0];
    assert!(loaded.config.metrics.enabled);
    assert_eq!((app.id.as_str(), app.key.as_str(), app.secret.expose()), ("x", "app-key", "s s"));
    assert_eq!(
        s.warnings(),
        [
            ".env, line 7: expected NAME=value",
            "DEFAULT_APP_KEY in .env = \"k#k\" does not fit appManager.array.apps.0.key and is \
             left alone: it must be a string that is not empty and has no space and none of \
             / ? # : in it; if it is meant for this server, name it SOKETI_DEFAULT_APP_KEY",
        ]
    );
    assert_eq!(
        setup().dotenv("SOKETI_PROT=1\n").errors(),
        ["unknown option SOKETI_PROT = \"1\" (from SOKETI_PROT in .env); \
          did you mean SOKETI_PORT?"]
    );
}

#[test]
fn a_bare_variable_that_does_not_fit_is_passed_over() {
    let s = setup()
        .env(&[("PORT", "tcp://10.0.0.1:80"), ("DEBUG", "express:*"), ("MODE", "production")])
        .env(&[("HOST", "x86_64-conda-linux-gnu"), ("UNHEARD_OF", "1")])
        .file(&json!({ "port": 7000 }));
    let config = s.load().config;
    assert_eq!((config.port, config.debug), (7000, false));
    assert_eq!((config.mode, config.host.as_str()), (config::Mode::Full, "0.0.0.0"));
    let warnings = s.warnings();
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    let port = "PORT = \"tcp://10.0.0.1:80\" does not fit port and is left alone: it must be an \
                integer between 0 and 65535; if it is meant for this server, name it SOKETI_PORT";
    assert!(warnings.contains(&port.to_owned()), "{warnings:?}");
    // Behind a stronger source nobody cares.
    let s = setup().env(&[("PORT", "tcp://10.0.0.1:80"), ("SOKETI_PORT", "80")]);
    assert_eq!(s.warnings(), Vec::<String>::new());
}

#[test]
fn service_links_of_kubernetes_are_left_alone() {
    let s = setup().env(&[
        ("SOKETI_SERVICE_HOST", "10.0.0.1"),
        ("SOKETI_SERVICE_PORT", "6001"),
        ("SOKETI_PORT", "tcp://10.0.0.1:6001"),
        ("SOKETI_PORT_6001_TCP_ADDR", "10.0.0.1"),
    ]);
    assert_eq!(s.load().config.port, 6001);
    let warnings = s.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with(
            "SOKETI_PORT, SOKETI_PORT_6001_TCP_ADDR, SOKETI_SERVICE_HOST, SOKETI_SERVICE_PORT \
             describe a kubernetes service and are left alone"
        ),
        "{warnings:?}"
    );
}

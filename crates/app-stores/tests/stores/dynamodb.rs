//! What only DynamoDB can do.
//!
//! Credentials come from the environment, as a user's do. So all tests of this file are run in
//! processes that have some, or none, by the first two.

use std::process::Command;

/// Runs the ignored tests of a module in a process with these variables.
fn run(module: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--nocapture", module]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    // A developer's own files are none of the tests' business, and there is no machine to ask.
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let (said, cried) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{cried}");
    assert!(!said.contains("running 0 tests"), "{said}");
    println!("{said}");
}

#[test]
fn with_credentials() {
    let id = ("AWS_ACCESS_KEY_ID", "id");
    run("dynamodb::credentials::", &[id, ("AWS_SECRET_ACCESS_KEY", "secret")]);
}

#[test]
fn without_credentials() {
    run("dynamodb::nothing::", &[]);
}

mod credentials {
    use app_stores::StoreError;
    use aws_sdk_dynamodb::primitives::Blob;
    use aws_sdk_dynamodb::types::AttributeValue;

    use crate::suite::suite;
    use crate::support::{Dynamo, Fixture, find, ids, store, try_find, try_store, with};

    suite!(Dynamo, #[ignore = "run by with_credentials"]);

    #[tokio::test]
    #[ignore = "run by with_credentials"]
    async fn attributes_of_any_type() {
        let server = Dynamo::shared();
        server.create("types", true).await;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |text: &str| AttributeValue::N(text.to_owned());
        let binary = |text: &[u8]| AttributeValue::B(Blob::new(text));
        let hooks = r#"[{"url": "https://example.com", "event_types": ["cache_miss"]}]"#;
        for (id, yes, limit, hooks) in [
            ("1", AttributeValue::Bool(true), number("120"), text(hooks)),
            ("2", text("true"), text("120"), binary(hooks.as_bytes())),
            ("3", binary(b"true"), number("120.0"), text(hooks)),
            ("4", number("1"), text("120"), text(hooks)),
            ("bad", binary(b"\xff\xfe"), number("1"), text("")),
            ("list", AttributeValue::L(vec![]), number("1.5"), text("")),
        ] {
            let item = [
                ("AppId", text(id)),
                ("AppKey", text(&format!("key-{id}"))),
                ("AppSecret", text("secret")),
                ("Enabled", yes.clone()),
                ("EnableClientMessages", yes),
                ("MaxConnections", limit),
                ("MaxEventPayloadInKb", AttributeValue::Null(true)),
                ("Webhooks", hooks),
                ("Unrelated", AttributeValue::Ss(vec!["x".to_owned()])),
            ];
            let item = item.into_iter().map(|(name, value)| (name.to_owned(), value));
            server.put("types", item.collect()).await;
        }
        let store = store(&server.options("types"));
        let found = find(&store, &["1", "2", "bad"], &["key-3", "key-4", "key-list"]).await;
        assert_eq!(ids(&found), (vec!["1", "2", "3", "4"], vec!["bad", "list"]));
        for app in &found.apps {
            assert_eq!((app.enabled, app.enable_client_messages), (true, true), "{}", app.id);
            assert_eq!((app.max_connections, app.webhooks.len()), (Some(120), 1), "{}", app.id);
        }
        for broken in &found.broken {
            assert!(broken.error.contains("enabled: "), "{broken:?}");
        }
    }

    #[tokio::test]
    #[ignore = "run by with_credentials"]
    async fn an_index_that_is_missing_is_named() {
        let server = Dynamo::shared();
        server.create("no-index", false).await;
        let store = store(&server.options("no-index"));
        assert_eq!(ids(&find(&store, &["app"], &[]).await), (vec![], vec![]));
        let error = try_find(&store, &[], &["key"]).await.unwrap_err();
        assert!(matches!(error, StoreError::Table { .. }), "{error:?}");
        assert!(error.to_string().starts_with("dynamodb: table no-index: "), "{error}");
        assert!(error.to_string().contains("AppKeyIndex"), "{error}");
    }

    #[tokio::test]
    #[ignore = "run by with_credentials"]
    async fn an_endpoint_that_is_no_url_is_refused() {
        let name = "APP_MANAGER_DYNAMODB_ENDPOINT";
        let options = with(Dynamo::shared().options("apps"), &[(name, "ftp://x")]);
        let error = try_store(&options).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.starts_with("appManager.dynamodb.endpoint = \"ftp://x\": it must be"),
            "{error}"
        );
    }
}

mod nothing {
    use crate::support::{Dynamo, Fixture, store, try_find};

    #[tokio::test]
    #[ignore = "run by without_credentials"]
    async fn missing_credentials_are_told() {
        let store = store(&Dynamo::shared().options("apps"));
        let error = try_find(&store, &["app"], &[]).await.unwrap_err();
        assert!(error.to_string().contains("credentials"), "{error}");
    }
}

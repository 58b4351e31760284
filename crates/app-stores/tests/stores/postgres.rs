//! What only PostgreSQL can do.

use app_stores::{OpenError, StoreError};
use serde_json::{Value, json};

use crate::suite::{row, row_with, suite};
use crate::support::{Bouncer, Fixture, Postgres, find, ids, store, try_find, try_store, with};

suite!(Postgres);

/// A table with columns of our choice, and rows.
async fn table(server: &Postgres, name: &str, columns: &str, rows: &[Value]) {
    let create = format!("DROP TABLE IF EXISTS \"{name}\"; CREATE TABLE \"{name}\" ({columns});");
    let rows: String = rows.iter().map(|row| Postgres::insert(name, row)).collect();
    server.run(&(create + &rows)).await;
}

#[tokio::test]
async fn the_first_tables_had_fewer_columns() {
    let server = Postgres::shared();
    let columns = "id varchar(255), key varchar(255), secret varchar(255), max_connections integer,
        enable_client_messages smallint, enabled smallint, max_backend_events_per_sec integer,
        max_client_events_per_sec integer, max_read_req_per_sec integer";
    table(server, "first", columns, &[row("app", "key")]).await;
    assert_eq!(ids(&find(&store(&server.options("first")), &["app"], &[]).await).0, ["app"]);
}

#[tokio::test]
async fn columns_of_any_type() {
    let server = Postgres::shared();
    let all = |id, key, text, number, yes, json| {
        format!(
            "id {id}, key {key}, secret {text}, max_connections {number},
            enable_client_messages {yes}, enabled {yes}, max_backend_events_per_sec {number},
            max_client_events_per_sec {number}, max_read_req_per_sec {number}, webhooks {json}"
        )
    };
    for (index, columns) in [
        all("integer", "bigint", "text", "smallint", "boolean", "jsonb"),
        all("bigint", "char(20)", "varchar(30)", "bigint", "smallint", "text"),
        all("smallint", "varchar(20)", "char(40)", "numeric", "integer", "json"),
        all("numeric(20)", "text", "text", "double precision", "bit(1)", "varchar(500)"),
        all("char(36)", "smallint", "text", "real", "text", "jsonb"),
        all("text", "numeric", "text", "numeric(10,2)", "char(5)", "jsonb"),
        all("name", "oid", "text", "text", "varchar(9)", "jsonb"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("types{index}");
        let hooks = json!([{ "url": "https://example.com", "event_types": ["cache_miss"] }]);
        let yes = match index {
            0 => json!(true),
            3 => json!("1"),
            _ => json!(1),
        };
        let others = json!({
            "webhooks": hooks, "max_connections": 120, "enabled": yes, "enable_client_messages": yes,
        });
        table(server, &name, &columns, &[row_with("17", "18", others)]).await;
        let store = store(&server.options(&name));
        for (by_id, by_key) in [(&["17"][..], &[][..]), (&[], &["18"])] {
            let found = find(&store, by_id, by_key).await;
            let [app] = &found.apps[..] else { panic!("{columns}: {found:?}") };
            assert_eq!((app.id.as_str(), app.key.as_str()), ("17", "18"), "{columns}");
            assert_eq!((app.max_connections, app.enabled), (Some(120), true), "{columns}");
            assert_eq!((app.webhooks.len(), app.secret.expose()), (1, "secret of 17"));
        }
    }
}

#[tokio::test]
async fn uuids_and_columns_named_like_anything() {
    let server = Postgres::shared();
    let columns = "id uuid, key uuid, secret text, t int, \"row\" int";
    let (id, key) =
        ("6f1ed002-ab5e-4a0c-9a5f-0123456789ab", "00000000-0000-0000-0000-000000000001");
    table(server, "uuids", columns, &[json!({ "id": id, "key": key, "secret": "s" })]).await;
    let store = store(&server.options("uuids"));
    let found = find(&store, &[id, "no uuid"], &[key]).await;
    assert_eq!(ids(&found), (vec![id], vec![]), "{found:?}");
}

#[tokio::test]
async fn a_database_that_cannot_write_every_character() {
    let server = Postgres::shared();
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let database = encoding.to_lowercase();
        server.run(&format!("CREATE DATABASE {database} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")).await;
        let rows = "CREATE TABLE apps (id text, key text, secret text);
            INSERT INTO apps VALUES ('app', 'key', 's')";
        server.run_in(&database, rows).await;
        let options = with(server.options("apps"), &[("DB_POSTGRES_DATABASE", &database)]);
        let found = find(&store(&options), &["app", "😀", "ü"], &["приложение"]).await;
        assert_eq!(ids(&found), (vec!["app"], vec![]), "{encoding}");
        if encoding == "SQL_ASCII" {
            server.run_in(&database, "INSERT INTO apps VALUES ('ü', '😀', 's')").await;
            let found = find(&store(&options), &[], &["😀"]).await;
            assert_eq!(ids(&found), (vec!["ü"], vec![]), "it does not look at characters");
        }
    }
}

#[tokio::test]
async fn tables_of_other_schemas_and_odd_names() {
    let server = Postgres::shared();
    server.run("CREATE SCHEMA \"other-1\"; CREATE TABLE \"other-1\".\"My apps\" (id text, key text, secret text); INSERT INTO \"other-1\".\"My apps\" VALUES ('a', 'k', 's')").await;
    let found = find(&store(&server.options("other-1.My apps")), &["a"], &["k"]).await;
    assert_eq!(ids(&found).0, ["a"]);
    let error = try_store(&server.options("apps\"; DROP TABLE x")).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Option { key: "appManager.postgres.table", .. }), "{error}");
    for (name, columns, missing) in [
        ("no-key", "id text, secret text", "\"key\""),
        ("no-secret", "id text, key text", "\"secret\""),
    ] {
        table(server, name, columns, &[]).await;
        let error = try_find(&store(&server.options(name)), &["a"], &["k"]).await.unwrap_err();
        assert!(matches!(error, StoreError::Table { .. }), "{error:?}");
        assert!(error.to_string().contains(name) && error.to_string().contains(missing), "{error}");
    }
}

#[tokio::test]
async fn who_may_not_in_is_told_so() {
    let server = Postgres::shared();
    server.table("refused", &[row("app", "key")]).await;
    server.run("CREATE USER stranger PASSWORD 'password'").await;
    for (others, part) in [
        (
            &[("DB_POSTGRES_PASSWORD", "wrong")][..],
            "password authentication failed for user \"dunlin\"",
        ),
        (
            &[("DB_POSTGRES_USERNAME", "nobody")],
            "password authentication failed for user \"nobody\"",
        ),
        (&[("DB_POSTGRES_DATABASE", "nowhere")], "database \"nowhere\" does not exist"),
        (
            &[("DB_POSTGRES_USERNAME", "stranger"), ("DB_POSTGRES_PASSWORD", "password")],
            "permission denied for table refused",
        ),
    ] {
        let store = store(&with(server.options("refused"), others));
        let error = try_find(&store, &["app"], &[]).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
}

#[tokio::test]
async fn encrypted() {
    let server = Postgres::shared();
    server.table("encrypted", &[row("app", "key")]).await;
    server
        .run("CREATE USER encrypted PASSWORD 'password'; GRANT ALL ON encrypted TO encrypted")
        .await;
    let ca = server.certificates.ca.display().to_string();
    let options = |others: &[(&'static str, &str)]| {
        let user = [("DB_POSTGRES_USERNAME", "encrypted"), ("DB_POSTGRES_PASSWORD", "password")];
        with(with(server.options("encrypted"), &user), others)
    };
    for others in [
        &[][..],
        &[("DB_POSTGRES_SSL_MODE", "require")],
        &[("DB_POSTGRES_SSL_CA", &ca)],
        &[("DB_POSTGRES_SSL_CA", &ca), ("DB_POSTGRES_SSL_MODE", "verify-full")],
        &[
            ("DB_POSTGRES_SSL_CA", &ca),
            ("DB_POSTGRES_SSL_MODE", "verify-ca"),
            ("DB_POSTGRES_HOST", "localhost"),
        ],
    ] {
        let found = find(&store(&options(others)), &["app"], &[]).await;
        assert_eq!(ids(&found).0, ["app"], "{others:?}");
    }
    for (others, part) in [
        // It must be encrypted, and is not.
        (&[("DB_POSTGRES_SSL_MODE", "disable")][..], "pg_hba.conf rejects connection"),
        // Nobody whom we know vouches for it.
        (&[("DB_POSTGRES_SSL_MODE", "verify-full")], "tls: "),
        (&[("DB_POSTGRES_SSL_MODE", "verify-ca")], "tls: "),
        // Not under that name.
        (&[("DB_POSTGRES_SSL_CA", &ca), ("DB_POSTGRES_HOST", "localhost")], "tls: "),
    ] {
        let error = try_find(&store(&options(others)), &["app"], &[]).await.unwrap_err();
        assert!(error.to_string().contains(part), "{others:?}: {error}");
    }
    let error = try_store(&options(&[("DB_POSTGRES_SSL_CA", "/no/such/file")])).map(|_| ());
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("database.postgres.ssl.caPath = /no/such/file (No such file"),
        "{error}"
    );
}

#[tokio::test]
async fn encryption_that_is_only_preferred_may_fail() {
    // Nothing that old is spoken here.
    let settings = ["ssl_min_protocol_version=TLSv1", "ssl_max_protocol_version=TLSv1.1"];
    let server = Postgres::start(&settings);
    server.table("apps", &[row("app", "key")]).await;
    let options = server.options("apps");
    assert_eq!(ids(&find(&store(&options), &["app"], &[]).await).0, ["app"]);
    let required = with(options, &[("DB_POSTGRES_SSL_MODE", "require")]);
    let error = try_find(&store(&required), &["app"], &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn by_url_and_by_socket() {
    let server = Postgres::shared();
    server.table("ways", &[row("app", "key")]).await;
    let url = format!("postgres://dunlin:pa%3Ass%40w%2Frd@127.0.0.1:{}/postgres", server.port());
    let ca = server.certificates.ca.display().to_string();
    let elsewhere = ("DB_POSTGRES_HOST", "192.0.2.1");
    for others in [
        vec![("DB_POSTGRES_URL", url.clone())],
        vec![("DB_POSTGRES_URL", url.replace("postgres://", "postgresql://"))],
        vec![
            ("DB_POSTGRES_URL", format!("{url}?sslmode=disable")),
            ("DB_POSTGRES_SSL_MODE", "verify-full".to_owned()),
        ],
        vec![("DB_POSTGRES_URL", url.clone()), ("DB_POSTGRES_SSL_CA", ca)],
    ] {
        let mut options = with(server.options("ways"), &[elsewhere]);
        options.extend(others.clone());
        assert_eq!(ids(&find(&store(&options), &["app"], &[]).await).0, ["app"], "{others:?}");
    }
    let folder = server.socket_folder().display().to_string();
    let options = with(server.options("ways"), &[("DB_POSTGRES_HOST", &folder)]);
    assert_eq!(ids(&find(&store(&options), &["app"], &[]).await).0, ["app"]);
    for url in [
        "postgres:/dunlin:secret@x",
        "mysql://dunlin:secret@x/y",
        "dunlin:secret@x",
        "postgres://a:secret@b:99999/x",
    ] {
        let error =
            try_store(&with(server.options("ways"), &[("DB_POSTGRES_URL", url)])).map(|_| ());
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("database.postgres.url = ****: it must be a URL"), "{error}");
    }
}

#[tokio::test]
async fn behind_a_pooler_that_gives_every_transaction_another_connection() {
    let server = Postgres::shared();
    server.table("pooled", &[row("app", "key")]).await;
    let bouncer = Bouncer::before(server.port());
    let port = bouncer.port().to_string();
    let options = with(server.options("pooled"), &[("DB_POSTGRES_PORT", &port)]);
    let stores: Vec<_> = (0..3).map(|_| store(&options)).collect();
    for _ in 0..5 {
        let mut asking = tokio::task::JoinSet::new();
        for store in stores.iter().chain(&stores) {
            let store = std::sync::Arc::clone(store);
            asking.spawn(async move {
                for (by_id, by_key) in [(&["app"][..], &["key"][..]), (&[], &["key"])] {
                    assert_eq!(ids(&find(&store, by_id, by_key).await).0, ["app"]);
                }
            });
        }
        while let Some(asked) = asking.join_next().await {
            asked.unwrap();
        }
    }
}

#[tokio::test]
async fn indexes_are_used() {
    let server = Postgres::shared();
    let columns = "id varchar(255) PRIMARY KEY, key varchar(255) UNIQUE, secret text";
    table(server, "indexes", columns, &[]).await;
    server
        .run("INSERT INTO indexes SELECT n, 'k' || n, 's' FROM generate_series(1, 20000) n")
        .await;
    server.run("ANALYZE indexes").await;
    let before = server.scans("indexes").await;
    let store = store(&server.options("indexes"));
    assert_eq!(ids(&find(&store, &["7", "8"], &["k9"]).await).0, ["7", "8", "9"]);
    // With its connection gone, the server counts what was done on it.
    drop(store);
    let begin = std::time::Instant::now();
    let after = loop {
        let after = server.scans("indexes").await;
        if after != before {
            break after;
        }
        assert!(begin.elapsed().as_secs() < 60, "nothing is counted");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(after.0, before.0, "the whole table was read");
}

//! What only MySQL and MariaDB can do.

use app_stores::{OpenError, StoreError};
use serde_json::{Value, json};

use crate::suite::{row, row_with, suite};
use crate::support::{Fixture, Maria, Proxy, find, ids, store, try_find, try_store, with};

suite!(Maria);

/// A table with columns of our choice, and rows.
async fn table(server: &Maria, name: &str, columns: &str, rows: &[Value]) {
    let create = format!("DROP TABLE IF EXISTS `{name}`; CREATE TABLE `{name}` ({columns});");
    let rows: String = rows.iter().map(|row| Maria::insert(name, row)).collect();
    server.run(&(create + &rows)).await;
}

#[tokio::test]
async fn the_first_tables_had_fewer_columns() {
    let server = Maria::shared();
    let columns = "id varchar(255), `key` varchar(255), secret varchar(255), max_connections int,
        enable_client_messages tinyint, enabled tinyint, max_backend_events_per_sec int,
        max_client_events_per_sec int, max_read_req_per_sec int";
    table(server, "first", columns, &[row("app", "key")]).await;
    assert_eq!(ids(&find(&store(&server.options("first")), &["app"], &[]).await).0, ["app"]);
}

#[tokio::test]
async fn columns_of_any_type() {
    let server = Maria::shared();
    let all = |id, key, text, number, yes, json| {
        format!(
            "id {id}, `KEY` {key}, secret {text}, max_connections {number},
            enable_client_messages {yes}, enabled {yes}, max_backend_events_per_sec {number},
            max_client_events_per_sec {number}, max_read_req_per_sec {number}, webhooks {json}"
        )
    };
    for (index, columns) in [
        all("int unsigned", "bigint", "tinytext", "smallint", "bool", "json"),
        all("bigint unsigned", "char(20)", "text", "mediumint", "bit(1)", "text"),
        all("smallint", "varchar(20)", "longtext", "bigint", "smallint", "longtext"),
        all("decimal(20)", "varbinary(20)", "blob", "double", "int unsigned", "mediumtext"),
        all("char(36)", "tinyint", "char(30)", "decimal(10,2)", "enum('0','1')", "varchar(500)"),
        all("varchar(20)", "mediumint", "varbinary(90)", "float", "char(5)", "blob"),
        all("tinyint", "int", "varchar(30)", "varchar(9)", "year", "json"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("types{index}");
        let hooks = json!([{ "url": "https://example.com", "event_types": ["cache_miss"] }]);
        // A year is no boolean.
        let enabled = match index {
            // As a number it would be the place in the list.
            4 => json!("1"),
            6 => json!(2026),
            _ => json!(1),
        };
        let others = json!({ "webhooks": hooks, "max_connections": 120, "enabled": enabled });
        let enabled = json!({ "enable_client_messages": enabled });
        let mut row = row_with("17", "18", others);
        row.as_object_mut().unwrap().extend(enabled.as_object().unwrap().clone());
        table(server, &name, &columns, &[row]).await;
        let store = store(&server.options(&name));
        for (by_id, by_key) in [(&["17"][..], &[][..]), (&[], &["18"])] {
            let found = find(&store, by_id, by_key).await;
            if index == 6 {
                let [broken] = &found.broken[..] else { panic!("{found:?}") };
                assert!(broken.error.contains("enabled: the column is a YEAR"), "{broken:?}");
                continue;
            }
            let [app] = &found.apps[..] else { panic!("{columns}: {found:?}") };
            assert_eq!((app.id.as_str(), app.key.as_str()), ("17", "18"), "{columns}");
            assert_eq!((app.max_connections, app.enabled), (Some(120), true), "{columns}");
            assert_eq!((app.webhooks.len(), app.secret.expose()), (1, "secret of 17"));
        }
    }
}

#[tokio::test]
async fn names_that_an_old_character_set_cannot_write() {
    let server = Maria::shared();
    for set in ["latin1", "utf8mb3", "ascii", "utf8mb4 COLLATE utf8mb4_bin", "utf16"] {
        let name = format!("set_{}", &set[..5]);
        let columns = format!(
            "id varchar(255) CHARACTER SET {set} PRIMARY KEY, `key` varchar(255) CHARACTER SET {set},
            secret varchar(255) CHARACTER SET {set}"
        );
        let row = json!({ "id": "app", "key": "key", "secret": "s" });
        table(server, &name, &columns, &[row]).await;
        let store = store(&server.options(&name));
        let found = find(&store, &["app", "😀", "ü"], &["😀", "приложение"]).await;
        assert_eq!(ids(&found), (vec!["app"], vec![]), "{set}");
    }
}

#[tokio::test]
async fn what_is_no_text_is_told() {
    let server = Maria::shared();
    let columns = "id varchar(20), `key` varchar(20), secret blob, enabled date";
    table(server, "no-text", columns, &[]).await;
    server.run("INSERT INTO `no-text` VALUES ('a', 'k', 0xfffe, '2026-01-01')").await;
    let found = find(&store(&server.options("no-text")), &["a"], &[]).await;
    let error = &found.broken[0].error;
    assert!(error.contains("secret: a BLOB that is not UTF-8"), "{error}");
    assert!(error.contains("enabled: the column is a DATE"), "{error}");
}

#[tokio::test]
async fn tables_of_other_databases_and_odd_names() {
    let server = Maria::shared();
    server.run("CREATE DATABASE IF NOT EXISTS `other-1`; CREATE TABLE IF NOT EXISTS `other-1`.`My apps` (id text, `key` text, secret text); INSERT INTO `other-1`.`My apps` VALUES ('a', 'k', 's')").await;
    let found = find(&store(&server.options("other-1.My apps")), &["a"], &["k"]).await;
    assert_eq!(ids(&found).0, ["a"]);
    let error = try_store(&server.options("apps`; DROP TABLE x")).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Option { key: "appManager.mysql.table", .. }), "{error}");
    table(server, "no-secret", "id text, `key` text", &[]).await;
    let store = store(&server.options("no-secret"));
    assert_eq!(ids(&find(&store, &["a"], &[]).await), (vec![], vec![]));
    table(server, "no-key", "id text, secret text", &[]).await;
    let store = crate::support::store(&server.options("no-key"));
    let error = try_find(&store, &[], &["k"]).await.unwrap_err();
    assert!(matches!(error, StoreError::Table { .. }), "{error:?}");
    assert!(error.to_string().contains("no-key") && error.to_string().contains("'key'"), "{error}");
}

#[tokio::test]
async fn who_may_not_in_is_told_so() {
    let server = Maria::shared();
    server.table("refused", &[row("app", "key")]).await;
    for (others, part) in [
        (&[("DB_MYSQL_PASSWORD", "wrong")][..], "Access denied for user 'dunlin'"),
        (&[("DB_MYSQL_USERNAME", "nobody")], "Access denied for user 'nobody'"),
        (&[("DB_MYSQL_DATABASE", "nowhere")], "Unknown database 'nowhere'"),
        (
            &[
                ("DB_MYSQL_USERNAME", "stranger"),
                ("DB_MYSQL_PASSWORD", "password"),
                ("DB_MYSQL_DATABASE", "information_schema"),
                ("APP_MANAGER_MYSQL_TABLE", "main.refused"),
            ],
            "command denied to user 'stranger'",
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
    let server = Maria::shared();
    server.table("encrypted", &[row("app", "key")]).await;
    let ca = server.certificates.ca.display().to_string();
    let options = |others: &[(&'static str, &str)]| {
        let user = [("DB_MYSQL_USERNAME", "encrypted"), ("DB_MYSQL_PASSWORD", "password")];
        with(with(server.options("encrypted"), &user), others)
    };
    for others in [
        &[][..],
        &[("DB_MYSQL_SSL_MODE", "require")],
        &[("DB_MYSQL_SSL_CA", &ca)],
        &[("DB_MYSQL_SSL_CA", &ca), ("DB_MYSQL_SSL_MODE", "verify-full")],
        &[
            ("DB_MYSQL_SSL_CA", &ca),
            ("DB_MYSQL_SSL_MODE", "verify-ca"),
            ("DB_MYSQL_HOST", "localhost"),
        ],
    ] {
        let found = find(&store(&options(others)), &["app"], &[]).await;
        assert_eq!(ids(&found).0, ["app"], "{others:?}");
    }
    for (others, part) in [
        // It must be encrypted, and is not.
        (&[("DB_MYSQL_SSL_MODE", "disable")][..], "Access denied"),
        // Nobody whom we know vouches for it.
        (&[("DB_MYSQL_SSL_MODE", "verify-full")], "tls: "),
        (&[("DB_MYSQL_SSL_MODE", "verify-ca")], "tls: "),
        // Not under that name.
        (&[("DB_MYSQL_SSL_CA", &ca), ("DB_MYSQL_HOST", "localhost")], "tls: "),
    ] {
        let error = try_find(&store(&options(others)), &["app"], &[]).await.unwrap_err();
        assert!(error.to_string().contains(part), "{others:?}: {error}");
    }
    let error = try_store(&options(&[("DB_MYSQL_SSL_CA", "/no/such/file")])).map(|_| ());
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("database.mysql.ssl.caPath = /no/such/file (No such file"),
        "{error}"
    );
}

#[tokio::test]
async fn by_url_and_by_socket() {
    let server = Maria::shared();
    server.table("ways", &[row("app", "key")]).await;
    let url = format!("mysql://dunlin:pa%3Ass%40w%2Frd@127.0.0.1:{}/main", server.port());
    let ca = server.certificates.ca.display().to_string();
    let socket = server.socket().display().to_string();
    let elsewhere = ("DB_MYSQL_PORT", "1");
    for others in [
        vec![("DB_MYSQL_URL", url.clone())],
        vec![
            ("DB_MYSQL_URL", format!("{url}?ssl-mode=disabled")),
            ("DB_MYSQL_SSL_MODE", "verify-full".to_owned()),
        ],
        vec![("DB_MYSQL_URL", url.clone()), ("DB_MYSQL_SSL_CA", ca)],
    ] {
        let mut options = with(server.options("ways"), &[elsewhere]);
        options.extend(others.clone());
        assert_eq!(ids(&find(&store(&options), &["app"], &[]).await).0, ["app"], "{others:?}");
    }
    let options = with(server.options("ways"), &[("DB_MYSQL_HOST", &socket), elsewhere]);
    assert_eq!(ids(&find(&store(&options), &["app"], &[]).await).0, ["app"]);
    for url in [
        "mysql:/dunlin:secret@x",
        "postgres://dunlin:secret@x/y",
        "dunlin:secret@x",
        "mysql://a:secret@b:99999/x",
    ] {
        let error = try_store(&with(server.options("ways"), &[("DB_MYSQL_URL", url)])).map(|_| ());
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("database.mysql.url = ****: it must be a URL"), "{error}");
    }
}

#[tokio::test]
async fn never_more_connections_than_the_pool_has() {
    let server = Maria::shared();
    server.table("pool", &[row("app", "key")]).await;
    for (others, most) in
        [(&[][..], 2), (&[("DB_POOLING_ENABLED", "true"), ("DB_POOLING_MAX", "3")][..], 3)]
    {
        let proxy = Proxy::to(server.port()).await;
        let port = proxy.port.to_string();
        let options = with(with(server.options("pool"), &[("DB_MYSQL_PORT", &port)]), others);
        let store = store(&options);
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let store = std::sync::Arc::clone(&store);
            asking.spawn(async move { ids(&find(&store, &["app"], &[]).await).0.len() });
        }
        while let Some(found) = asking.join_next().await {
            assert_eq!(found.unwrap(), 1);
        }
        assert!((1..=most).contains(&proxy.accepted()), "{} of {most}", proxy.accepted());
    }
}

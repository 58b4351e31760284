//! MariaDB with a user each for every way to get in.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::process::{Folder, LOOPBACK, Server, free_port, program, run};
use super::{Certificates, Fixture};

pub struct Maria {
    server: Server,
    pub certificates: Certificates,
    folder: Folder,
}

/// As soketi's documentation has it, with the columns of later versions and two of our own.
const COLUMNS: &str = "
    `id` varchar(255) NOT NULL, `key` varchar(255) NOT NULL, `secret` varchar(255) NOT NULL,
    `max_connections` int(10) NOT NULL, `enable_client_messages` tinyint(1) NOT NULL,
    `enabled` tinyint(1) NOT NULL, `max_backend_events_per_sec` int(10) NOT NULL,
    `max_client_events_per_sec` int(10) NOT NULL, `max_read_req_per_sec` int(10) NOT NULL,
    `webhooks` json, `max_presence_members_per_channel` tinyint(1) NULL,
    `max_presence_member_size_in_kb` tinyint(1) NULL, `max_channel_name_length` tinyint(1) NULL,
    `max_event_channels_at_once` tinyint(1) NULL, `max_event_name_length` tinyint(1) NULL,
    `max_event_payload_in_kb` double NULL, `max_event_batch_size` tinyint(1) NULL,
    `enable_user_authentication` tinyint(1) NULL, `enable_subscription_count` tinyint(1) NULL,
    `allowed_origins` text NULL, `created_at` timestamp DEFAULT current_timestamp,
    PRIMARY KEY (`id`)";

impl Maria {
    fn start() -> Self {
        let folder = Folder::new();
        let certificates = Certificates::new(&folder);
        let path = |name: &str| folder.join(name).display().to_string();
        let datadir = format!("--datadir={}", path("data"));
        // A server that starts removes temporary tables from there, whosever they are.
        let tmpdir = format!("--tmpdir={}", path(""));
        let prepare = program("mariadb-install-db", &[]);
        run(
            &folder,
            &[
                &prepare,
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                "--innodb-log-file-size=8M",
                &datadir,
                &tmpdir,
            ],
        );
        let users = "CREATE DATABASE IF NOT EXISTS main CHARACTER SET utf8mb4;
            CREATE USER IF NOT EXISTS dunlin@'127.0.0.1' IDENTIFIED BY 'pa:ss@w/rd';
            CREATE USER IF NOT EXISTS dunlin@localhost IDENTIFIED BY 'pa:ss@w/rd';
            GRANT ALL ON *.* TO dunlin@localhost;
            CREATE USER IF NOT EXISTS encrypted@'127.0.0.1' IDENTIFIED BY 'password' REQUIRE SSL;
            CREATE USER IF NOT EXISTS stranger@'127.0.0.1' IDENTIFIED BY 'password';
            GRANT ALL ON *.* TO dunlin@'127.0.0.1';
            GRANT ALL ON main.* TO encrypted@'127.0.0.1';";
        let init = folder.write("init.sql", &users.replace('\n', " ").replace("; ", ";\n"));
        let port = free_port();
        let listen = format!("--port={port}");
        let command = [
            program("mariadbd", &["/usr/sbin".into()]),
            "--no-defaults".to_owned(),
            datadir,
            tmpdir,
            listen,
            format!("--bind-address={LOOPBACK}"),
            format!("--socket={}", path("socket")),
            format!("--pid-file={}", path("pid")),
            format!("--init-file={}", init.display()),
            format!("--ssl-ca={}", certificates.ca.display()),
            format!("--ssl-cert={}", certificates.certificate.display()),
            format!("--ssl-key={}", certificates.key.display()),
            "--skip-name-resolve".to_owned(),
            "--innodb-log-file-size=8M".to_owned(),
            "--innodb-buffer-pool-size=16M".to_owned(),
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
            "--skip-log-bin".to_owned(),
        ];
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let server = Server::start(&folder, port, "KILL", &command);
        Self { server, certificates, folder }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Runs statements.
    pub async fn run(&self, statements: &str) {
        let options = MySqlConnectOptions::new()
            .host(LOOPBACK)
            .port(self.server.port)
            .username("dunlin")
            .password("pa:ss@w/rd")
            .database("main")
            .ssl_mode(MySqlSslMode::Disabled);
        let connected = options.connect().await;
        let mut connection: MySqlConnection =
            connected.unwrap_or_else(|error| panic!("{error}: {}", self.server.said()));
        let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// A statement that inserts a row.
    pub fn insert(table: &str, row: &Value) -> String {
        let row = row.as_object().unwrap();
        let columns: Vec<String> = row.keys().map(|column| format!("`{column}`")).collect();
        let values: Vec<String> = row
            .values()
            .map(|value| match value {
                Value::String(text) => quoted(text),
                Value::Array(_) => quoted(&value.to_string()),
                value => value.to_string(),
            })
            .collect();
        format!("INSERT INTO `{table}` ({}) VALUES ({});", columns.join(", "), values.join(", "))
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

impl Fixture for Maria {
    fn shared() -> &'static Self {
        static SERVER: OnceLock<Maria> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn own() -> Self {
        Self::start()
    }

    async fn table(&self, name: &str, rows: &[Value]) {
        let create = format!("DROP TABLE IF EXISTS `{name}`; CREATE TABLE `{name}` ({COLUMNS});");
        let rows: String = rows.iter().map(|row| Self::insert(name, row)).collect();
        self.run(&(create + &rows)).await;
    }

    fn options(&self, table: &str) -> Vec<(&'static str, String)> {
        vec![
            ("APP_MANAGER_DRIVER", "mysql".to_owned()),
            ("APP_MANAGER_MYSQL_TABLE", table.to_owned()),
            ("DB_MYSQL_HOST", LOOPBACK.to_owned()),
            ("DB_MYSQL_PORT", self.server.port.to_string()),
            ("DB_MYSQL_USERNAME", "dunlin".to_owned()),
            ("DB_MYSQL_PASSWORD", "pa:ss@w/rd".to_owned()),
            ("DB_MYSQL_DATABASE", "main".to_owned()),
        ]
    }

    fn at_port(port: u16) -> (&'static str, String) {
        ("DB_MYSQL_PORT", port.to_string())
    }

    fn port(&self) -> u16 {
        self.server.port
    }

    fn stop(&mut self) {
        self.server.stop();
    }

    fn start_again(&mut self) {
        self.server.start_again();
    }
}

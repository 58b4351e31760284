//! PostgreSQL with a user each for every way to get in.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

use super::process::{Folder, LOOPBACK, Server, free_port, program, run};
use super::{Certificates, Fixture};

pub struct Postgres {
    server: Server,
    pub certificates: Certificates,
    folder: Folder,
}

/// As soketi's documentation has it, with two columns of our own.
const COLUMNS: &str = "
    id varchar(255) PRIMARY KEY, \"key\" varchar(255) NOT NULL, secret varchar(255) NOT NULL,
    max_connections integer NOT NULL, enable_client_messages smallint NOT NULL,
    enabled smallint NOT NULL, max_backend_events_per_sec integer NOT NULL,
    max_client_events_per_sec integer NOT NULL, max_read_req_per_sec integer NOT NULL,
    webhooks json, max_presence_members_per_channel integer DEFAULT NULL,
    max_presence_member_size_in_kb integer DEFAULT NULL,
    max_channel_name_length integer DEFAULT NULL,
    max_event_channels_at_once integer DEFAULT NULL, max_event_name_length integer DEFAULT NULL,
    max_event_payload_in_kb real DEFAULT NULL, max_event_batch_size integer DEFAULT NULL,
    enable_user_authentication smallint DEFAULT NULL,
    enable_subscription_count boolean DEFAULT NULL, allowed_origins text[] DEFAULT NULL,
    created_at timestamptz DEFAULT now()";

impl Postgres {
    /// Starts a server with further settings, such as `ssl_max_protocol_version=TLSv1.1`.
    pub fn start(settings: &[&str]) -> Self {
        let folder = Folder::new();
        let certificates = Certificates::new(&folder);
        let path = |name: &str| folder.join(name).display().to_string();
        let places = places();
        let password = folder.write("password", "pa:ss@w/rd");
        run(
            &folder,
            &[
                &program("initdb", &places),
                "--username=dunlin",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--auth=scram-sha-256",
                &format!("--pwfile={}", password.display()),
                &path("data"),
            ],
        );
        let port = free_port();
        let mut command = vec![program("postgres", &places), "-D".to_owned(), path("data")];
        let lines = [
            format!("port={port}"),
            format!("listen_addresses={LOOPBACK}"),
            format!("unix_socket_directories={}", folder.path().display()),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", certificates.certificate.display()),
            format!("ssl_key_file={}", certificates.key.display()),
            "fsync=off".to_owned(),
            "shared_buffers=16MB".to_owned(),
        ];
        for line in lines.into_iter().chain(settings.iter().map(|line| (*line).to_owned())) {
            command.extend(["-c".to_owned(), line]);
        }
        let rules = "local all all scram-sha-256\n\
            hostnossl all encrypted all reject\n\
            host all all all scram-sha-256\n";
        std::fs::write(folder.join("data/pg_hba.conf"), rules).unwrap();
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let server = Server::start(&folder, port, "QUIT", &command);
        Self { server, certificates, folder }
    }

    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// How often a table was read as a whole, and through an index.
    pub async fn scans(&self, table: &str) -> (i64, i64) {
        let query = "SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = $1";
        let mut connection = self.connect("postgres").await;
        let row = sqlx::query(query).bind(table).fetch_one(&mut connection).await.unwrap();
        (row.get(0), row.get(1))
    }

    async fn connect(&self, database: &str) -> PgConnection {
        let options = PgConnectOptions::new()
            .host(LOOPBACK)
            .port(self.server.port)
            .username("dunlin")
            .password("pa:ss@w/rd")
            .database(database)
            .ssl_mode(PgSslMode::Disable);
        // It listens before it lets anybody in.
        let begin = Instant::now();
        loop {
            match options.connect().await {
                Ok(connection) => return connection,
                Err(error) if begin.elapsed() > Duration::from_secs(60) => {
                    panic!("{error}: {}", self.server.said())
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Runs statements in a database.
    pub async fn run_in(&self, database: &str, statements: &str) {
        let mut connection = self.connect(database).await;
        let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    pub async fn run(&self, statements: &str) {
        self.run_in("postgres", statements).await;
    }

    /// A statement that inserts a row.
    pub fn insert(table: &str, row: &Value) -> String {
        let row = row.as_object().unwrap();
        let columns: Vec<String> = row.keys().map(|column| format!("\"{column}\"")).collect();
        let values: Vec<String> = row
            .iter()
            .map(|(column, value)| match value {
                Value::String(text) => format!("'{}'", text.replace('\'', "''")),
                Value::Array(items) if column == "allowed_origins" => {
                    format!("ARRAY{}", Value::Array(items.clone()).to_string().replace('"', "'"))
                }
                Value::Array(_) => format!("'{}'", value.to_string().replace('\'', "''")),
                value => value.to_string(),
            })
            .collect();
        format!("INSERT INTO \"{table}\" ({}) VALUES ({});", columns.join(", "), values.join(", "))
    }
}

/// Debian has the server's programs in a folder of its version.
fn places() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

impl Fixture for Postgres {
    fn shared() -> &'static Self {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(&[]))
    }

    fn own() -> Self {
        Self::start(&[])
    }

    async fn table(&self, name: &str, rows: &[Value]) {
        let create =
            format!("DROP TABLE IF EXISTS \"{name}\"; CREATE TABLE \"{name}\" ({COLUMNS});");
        let rows: String = rows.iter().map(|row| Self::insert(name, row)).collect();
        self.run(&(create + &rows)).await;
    }

    fn options(&self, table: &str) -> Vec<(&'static str, String)> {
        vec![
            ("APP_MANAGER_DRIVER", "postgres".to_owned()),
            ("APP_MANAGER_POSTGRES_TABLE", table.to_owned()),
            ("DB_POSTGRES_HOST", LOOPBACK.to_owned()),
            ("DB_POSTGRES_PORT", self.server.port.to_string()),
            ("DB_POSTGRES_USERNAME", "dunlin".to_owned()),
            ("DB_POSTGRES_PASSWORD", "pa:ss@w/rd".to_owned()),
            ("DB_POSTGRES_DATABASE", "postgres".to_owned()),
        ]
    }

    fn at_port(port: u16) -> (&'static str, String) {
        ("DB_POSTGRES_PORT", port.to_string())
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

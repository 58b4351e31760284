//! The databases of the stores' own tests, for tests that do not wait in tasks.

use std::future::Future;

use serde_json::{Value, json};
use testkit::http::AppKeys;
use testkit::process::Process;

pub(crate) use testkit::databases::{Fixture, Maria, Postgres};

/// A database with a table of apps, which a test changes.
pub(crate) trait Database: Fixture {
    /// Runs statements.
    fn run(&self, statements: &str);

    /// A statement that inserts a row.
    fn insert(table: &str, row: &Value) -> String;

    /// Makes a table with these apps.
    fn apps(&self, table: &str, apps: &[AppKeys]) {
        let rows: Vec<Value> = apps.iter().map(row).collect();
        wait(self.table(table, &rows));
    }

    /// Adds an app to a table.
    fn add(&self, table: &str, app: &AppKeys) {
        self.run(&Self::insert(table, &row(app)));
    }
}

impl Database for Postgres {
    fn run(&self, statements: &str) {
        wait(Postgres::run(self, statements));
    }

    fn insert(table: &str, row: &Value) -> String {
        Postgres::insert(table, row)
    }
}

impl Database for Maria {
    fn run(&self, statements: &str) {
        wait(Maria::run(self, statements));
    }

    fn insert(table: &str, row: &Value) -> String {
        Maria::insert(table, row)
    }
}

/// The row of an app without limits.
fn row(app: &AppKeys) -> Value {
    json!({
        "id": app.id, "key": app.key, "secret": app.secret, "max_connections": -1,
        "enable_client_messages": 1, "enabled": 1, "max_backend_events_per_sec": -1,
        "max_client_events_per_sec": -1, "max_read_req_per_sec": -1,
    })
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Another app than the default one.
pub(crate) fn other() -> AppKeys {
    AppKeys::new("other-id", "other-key", "other-secret")
}

/// The environment of a node whose apps are in a table, and known for so many seconds.
pub(crate) fn cached(
    database: &impl Fixture,
    table: &str,
    ttl: u32,
) -> Vec<(&'static str, String)> {
    let mut env = database.options(table);
    env.push(("APP_MANAGER_CACHE_ENABLED", "true".to_owned()));
    env.push(("APP_MANAGER_CACHE_TTL", ttl.to_string()));
    env
}

/// The same, as processes take it.
pub(crate) fn borrowed<'a>(env: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    env.iter().map(|(name, value)| (*name, &**value)).collect()
}

/// Waits until the last question of a node had an answer, or none.
pub(crate) fn is_reached(node: &Process, reached: bool) {
    let up = f64::from(u8::from(reached));
    node.wait_for("the database is there, or not", |metrics| metrics.sum("app_store_up") == up);
}

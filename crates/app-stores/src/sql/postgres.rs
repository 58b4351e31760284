//! PostgreSQL. The server itself makes JSON of a row, so every type of column is read in one way.

use std::sync::Arc;

use config::{Config, Secret, SqlDatabase, SqlSslMode};
use serde_json::{Map, Value};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

use super::connections::Connections;
use super::table::TableName;
use super::{Dialect, Fault, SqlStore};
use crate::entry::{Asked, StoredApp};
use crate::fields::FIELDS;
use crate::{AppStore, OpenError};

pub(crate) fn open(config: &Config) -> Result<Arc<dyn AppStore>, OpenError> {
    let table = TableName::new("appManager.postgres.table", &config.app_manager.postgres_table)?;
    let (options, plain) = options(&config.database.postgres)?;
    Ok(Arc::new(SqlStore::<Postgres> {
        connections: Connections::new(options, plain, &config.database_pooling),
        table,
        limits: config.limits.clone(),
    }))
}

type PostgresOptions = (PgConnectOptions, Option<PgConnectOptions>);

/// How to connect, and how without encryption if that may be.
fn options(database: &SqlDatabase) -> Result<PostgresOptions, OpenError> {
    let mut options = match &database.url {
        Some(url) => parse(url)?,
        None => {
            let options = PgConnectOptions::new_without_pgpass()
                .port(database.port)
                .username(&database.user)
                .password(database.password.expose())
                .database(&database.database);
            match database.host.starts_with('/') {
                true => options.socket(&database.host),
                false => options.host(&database.host),
            }
        }
    };
    // A pooler between us and the server refuses settings that it does not know.
    options = options.extra_float_digits(None).disable_statement_logging();
    if options.get_application_name().is_none() {
        options = options.application_name("dunlin");
    }
    if let Some(ca) = &database.ssl_ca {
        super::readable("database.postgres.ssl.caPath", ca)?;
        options = options.ssl_root_cert(ca);
    }
    if database.url.as_ref().is_none_or(|url| !super::says_ssl_mode(url)) {
        options = options.ssl_mode(match database.ssl_mode() {
            SqlSslMode::Prefer => PgSslMode::Prefer,
            SqlSslMode::Disable => PgSslMode::Disable,
            SqlSslMode::Require => PgSslMode::Require,
            SqlSslMode::VerifyCa => PgSslMode::VerifyCa,
            SqlSslMode::VerifyFull => PgSslMode::VerifyFull,
        });
    }
    let prefers = matches!(options.get_ssl_mode(), PgSslMode::Prefer);
    let plain = prefers.then(|| options.clone().ssl_mode(PgSslMode::Disable));
    Ok((options, plain))
}

fn parse(url: &Secret) -> Result<PgConnectOptions, OpenError> {
    let text = url.expose();
    let scheme = text.starts_with("postgres://") || text.starts_with("postgresql://");
    text.parse().ok().filter(|_| scheme).ok_or(OpenError::Option {
        key: "database.postgres.url",
        value: url.to_string(),
        right: "a URL such as postgres://user:password@host:5432/database, with what is special \
                in a URL percent-encoded",
    })
}

struct Postgres;

impl Dialect for Postgres {
    const NAME: &'static str = "postgres";
    type Connection = PgConnection;

    async fn ask(
        connection: &mut PgConnection,
        table: &TableName,
        asked: &Asked,
    ) -> Result<Vec<StoredApp>, sqlx::Error> {
        let names = [("id", &asked.ids), ("key", &asked.keys)];
        let wanted: Vec<String> = names
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            // As text, numbers can be names as well, and no blanks pad them.
            .map(|(column, names)| format!("\"{column}\"::text = ANY({})", list(names)))
            .collect();
        // The alias stands for the whole row, unless a column has that name.
        let query = format!(
            "SELECT \"id\"::text, \"key\"::text, \"secret\"::text, \
             row_to_json(\"app of dunlin\")::text FROM {} \"app of dunlin\" WHERE {}",
            table.quoted('"'),
            wanted.join(" OR ")
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(connection).await?;
        rows.iter().map(entry).collect()
    }

    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    fn fault(error: &dyn DatabaseError) -> Fault {
        let code = error.code().unwrap_or_default();
        match &*code {
            // No privilege, no such database.
            "42501" | "3D000" => Fault::Refused,
            // No such table, column or schema.
            "42P01" | "42703" | "3F000" => Fault::Table,
            "22021" | "22P05" => Fault::Characters,
            code if code.starts_with("28") => Fault::Refused,
            // Shutting down, crashed, starting up; connection exceptions.
            code if code.starts_with("57P0") || code.starts_with("08") => Fault::Away,
            _ => Fault::Other,
        }
    }
}

/// Names as one constant. Every character of ASCII is written as its number, so nothing in them can
/// be taken for SQL; the others mean nothing in SQL, and reach a database of any encoding as they
/// are. The planner sees a constant, so it uses indexes.
///
/// Parameters would need a statement that is prepared first. A pooler that gives every transaction
/// another connection (PgBouncer) may then run another client's statement of the same name, and an
/// app that is there is not found.
fn list(names: &[String]) -> String {
    // No name has a control character in it.
    let written: String = names.join("\n").chars().map(written).collect();
    format!("string_to_array(U&'{written}', chr(10))")
}

fn written(c: char) -> String {
    match c.is_ascii() {
        true => format!("\\{:04x}", u32::from(c)),
        false => c.to_string(),
    }
}

fn entry(row: &PgRow) -> Result<StoredApp, sqlx::Error> {
    let mut entry = StoredApp::default();
    let mut columns: Map<String, Value> = match serde_json::from_str(row.try_get(3)?) {
        Ok(columns) => columns,
        Err(error) => {
            entry.add("row", Err(format!("the server's JSON cannot be read: {error}")));
            Map::new()
        }
    };
    for (index, column) in ["id", "key", "secret"].into_iter().enumerate() {
        let text: Option<String> = row.try_get(index)?;
        columns.insert(column.to_owned(), text.map_or(Value::Null, Value::String));
    }
    for field in &FIELDS {
        if let Some(value) = columns.remove(field.column) {
            entry.add(field.name, Ok(value));
        }
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn no_name_is_sql() {
        let names = ["a'", "\\😀"].map(str::to_owned);
        assert_eq!(list(&names), r"string_to_array(U&'\0061\0027\000a\005c😀', chr(10))");
    }
}

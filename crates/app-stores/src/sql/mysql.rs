//! MySQL and MariaDB.

use std::sync::Arc;

use config::{Config, Secret, SqlDatabase, SqlSslMode};
use serde_json::{Number, Value};
use sqlx::error::DatabaseError;
use sqlx::mysql::{
    MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode,
};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Decode, MySql, Row, TypeInfo, ValueRef};

use super::connections::Connections;
use super::table::TableName;
use super::{Dialect, Fault, SqlStore};
use crate::entry::{Asked, StoredApp};
use crate::fields::FIELDS;
use crate::{AppStore, OpenError};

pub(crate) fn open(config: &Config) -> Result<Arc<dyn AppStore>, OpenError> {
    let table = TableName::new("appManager.mysql.table", &config.app_manager.mysql_table)?;
    let (options, plain) = options(&config.database.mysql)?;
    Ok(Arc::new(SqlStore::<MySqlDialect> {
        connections: Connections::new(options, plain, &config.database_pooling),
        table,
        limits: config.limits.clone(),
    }))
}

type MysqlOptions = (MySqlConnectOptions, Option<MySqlConnectOptions>);

/// How to connect, and how without encryption if that may be.
fn options(database: &SqlDatabase) -> Result<MysqlOptions, OpenError> {
    let mut options = match &database.url {
        Some(url) => parse(url)?,
        None => {
            let options = MySqlConnectOptions::new()
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
    // What the library would set for other users of it is nothing to us.
    options = options
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .disable_statement_logging();
    if let Some(ca) = &database.ssl_ca {
        super::readable("database.mysql.ssl.caPath", ca)?;
        options = options.ssl_ca(ca);
    }
    if database.url.as_ref().is_none_or(|url| !super::says_ssl_mode(url)) {
        options = options.ssl_mode(match database.ssl_mode() {
            SqlSslMode::Prefer => MySqlSslMode::Preferred,
            SqlSslMode::Disable => MySqlSslMode::Disabled,
            SqlSslMode::Require => MySqlSslMode::Required,
            SqlSslMode::VerifyCa => MySqlSslMode::VerifyCa,
            SqlSslMode::VerifyFull => MySqlSslMode::VerifyIdentity,
        });
    }
    let prefers = matches!(options.get_ssl_mode(), MySqlSslMode::Preferred);
    let plain = prefers.then(|| options.clone().ssl_mode(MySqlSslMode::Disabled));
    Ok((options, plain))
}

fn parse(url: &Secret) -> Result<MySqlConnectOptions, OpenError> {
    let text = url.expose();
    let scheme = text.starts_with("mysql://") || text.starts_with("mariadb://");
    text.parse().ok().filter(|_| scheme).ok_or(OpenError::Option {
        key: "database.mysql.url",
        value: url.to_string(),
        right: "a URL such as mysql://user:password@host:3306/database, with what is special in \
                a URL percent-encoded",
    })
}

struct MySqlDialect;

impl Dialect for MySqlDialect {
    const NAME: &'static str = "mysql";
    type Connection = MySqlConnection;

    async fn ask(
        connection: &mut MySqlConnection,
        table: &TableName,
        asked: &Asked,
    ) -> Result<Vec<StoredApp>, sqlx::Error> {
        let (mut wanted, mut values) = (Vec::new(), Vec::new());
        for (column, names) in [("id", &asked.ids), ("key", &asked.keys)] {
            if let Some(last) = names.last() {
                // The server prepares every length of a list anew; so there are few lengths.
                let length = names.len().next_power_of_two();
                let marks = vec!["?"; length].join(", ");
                wanted.push(format!("`{column}` IN ({marks})"));
                values.extend(names.iter().chain(std::iter::repeat(last)).take(length));
            }
        }
        let query = format!("SELECT * FROM {} WHERE {}", table.quoted('`'), wanted.join(" OR "));
        let mut query = sqlx::query(AssertSqlSafe(query));
        for value in values {
            query = query.bind(value);
        }
        let rows = query.fetch_all(connection).await?;
        Ok(rows.iter().map(entry).collect())
    }

    /// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>
    fn fault(error: &dyn DatabaseError) -> Fault {
        match error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number) {
            // The user, the database, the table or a column of it is not for us; no such database.
            Some(1044 | 1045 | 1049 | 1130 | 1142 | 1143 | 1698) => Fault::Refused,
            // No such column, no such table.
            Some(1054 | 1146) => Fault::Table,
            // Shutting down.
            Some(1053 | 1077 | 1927) => Fault::Away,
            // Two collations that cannot be compared, or a character that cannot be converted.
            Some(1267 | 1270 | 1271 | 1300 | 3854 | 3988) => Fault::Characters,
            _ => Fault::Other,
        }
    }
}

fn entry(row: &MySqlRow) -> StoredApp {
    let mut entry = StoredApp::default();
    for column in row.columns() {
        let known = FIELDS.iter().find(|field| field.column.eq_ignore_ascii_case(column.name()));
        if let Some(field) = known {
            entry.add(field.name, value(row, column.ordinal()));
        }
    }
    entry
}

/// A value by the type that the server says it has.
fn value(row: &MySqlRow, index: usize) -> Result<Value, String> {
    let raw = row.try_get_raw(index).map_err(|error| error.to_string())?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info().name().to_owned();
    match kind.as_str() {
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            read::<i64>(row, index).map(Value::from)
        }
        "BIT" => read::<u64>(row, index).map(Value::from),
        kind if kind.ends_with(" UNSIGNED") => read::<u64>(row, index).map(Value::from),
        // As short as it was written: 0.1 and not 0.10000000149011612.
        "FLOAT" => Ok(float(read::<f32>(row, index)?.to_string().parse().unwrap_or(f64::NAN))),
        "DOUBLE" => Ok(float(read::<f64>(row, index)?)),
        "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "BINARY"
        | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" | "ENUM" | "SET"
        | "JSON" | "DECIMAL" => {
            let text = read::<&[u8]>(row, index).map(<[u8]>::to_vec)?;
            String::from_utf8(text)
                .map(Value::String)
                .map_err(|_| format!("a {kind} that is not UTF-8"))
        }
        other => Err(format!("the column is a {other}, it must be a number or a text")),
    }
}

fn float(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn read<'r, T: Decode<'r, MySql>>(row: &'r MySqlRow, index: usize) -> Result<T, String> {
    row.try_get_unchecked(index).map_err(|error| error.to_string())
}

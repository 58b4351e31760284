//! Apps in a table of a SQL database: one query for all that is asked for. What MySQL and
//! PostgreSQL do differently is in their own files; must not know what an app is.

mod connections;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod table;

use std::future::Future;
use std::path::Path;

use config::{Limits, Secret};
use sqlx::error::DatabaseError;
use sqlx::{ConnectOptions, Connection};

use crate::deadline::{self, LIMIT};
use crate::entry::{Asked, StoredApp, found};
use crate::{AppStore, Lookup, OpenError, StoreError, Wanted};
use connections::{Connections, is_tls};
use table::TableName;

/// Ids and keys in one query.
const BATCH: usize = 200;

/// What MySQL and PostgreSQL do differently.
trait Dialect: Send + Sync + 'static {
    /// As in `appManager.driver`.
    const NAME: &'static str;
    /// A connection.
    type Connection: Connection<Options: ConnectOptions<Connection = Self::Connection> + Sync>
        + Send;

    /// The one query.
    fn ask(
        connection: &mut Self::Connection,
        table: &TableName,
        asked: &Asked,
    ) -> impl Future<Output = Result<Vec<StoredApp>, sqlx::Error>> + Send;

    /// Whose fault an error is that the server tells of.
    fn fault(error: &dyn DatabaseError) -> Fault;
}

/// What an error of the server is about.
enum Fault {
    /// It is going down or coming up.
    Away,
    /// It does not let us in, or not near the table.
    Refused,
    /// The table is not there or lacks a column.
    Table,
    /// A name that was asked for cannot be written in the database's encoding.
    Characters,
    /// Anything else.
    Other,
}

/// A table of apps.
struct SqlStore<D: Dialect> {
    connections: Connections<D::Connection>,
    table: TableName,
    limits: Limits,
}

impl<D: Dialect> AppStore for SqlStore<D> {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> Lookup<'a> {
        Box::pin(async move {
            let asked = Asked::of(wanted);
            if asked.is_empty() {
                return Ok(Default::default());
            }
            let answer = deadline::within(D::NAME, LIMIT, self.entries(&asked)).await?;
            let entries = answer.map_err(|error| self.error(error))?;
            Ok(found(entries, &asked, &self.limits))
        })
    }

    fn name(&self) -> &'static str {
        D::NAME
    }

    fn batch(&self) -> usize {
        BATCH
    }
}

impl<D: Dialect> SqlStore<D> {
    async fn entries(&self, asked: &Asked) -> Result<Vec<StoredApp>, sqlx::Error> {
        match self.ask(asked).await {
            // What the database cannot write it does not have; the other names may be there.
            Err(sqlx::Error::Database(error))
                if matches!(D::fault(&*error), Fault::Characters) && !is_ascii(asked) =>
            {
                self.ask(&ascii(asked)).await
            }
            answer => answer,
        }
    }

    /// A connection that was kept may have died since. Whatever goes wrong on it is tried once
    /// more on a new one.
    async fn ask(&self, asked: &Asked) -> Result<Vec<StoredApp>, sqlx::Error> {
        let turn = self.connections.turn().await;
        if let Some(mut kept) = self.connections.kept() {
            let answer = D::ask(&mut kept, &self.table, asked);
            if let Ok(Ok(entries)) = tokio::time::timeout(LIMIT / 2, answer).await {
                self.connections.keep(turn, kept);
                return Ok(entries);
            }
            // The others are as old.
            self.connections.forget();
        }
        let mut new = self.connections.connect().await?;
        let entries = D::ask(&mut new, &self.table, asked).await?;
        self.connections.keep(turn, new);
        Ok(entries)
    }

    fn error(&self, error: sqlx::Error) -> StoreError {
        let store = D::NAME;
        match error {
            sqlx::Error::Tls(error) => {
                StoreError::Unreachable { store, error: format!("tls: {error}") }
            }
            error if is_tls(&error) => {
                StoreError::Unreachable { store, error: format!("tls: {error}") }
            }
            sqlx::Error::Io(error) => StoreError::Unreachable { store, error: error.to_string() },
            sqlx::Error::Database(said) => {
                let error = said.message().to_owned();
                match D::fault(&*said) {
                    Fault::Away => StoreError::Unreachable { store, error },
                    Fault::Refused => StoreError::Refused { store, error },
                    Fault::Table => {
                        StoreError::Table { store, table: self.table.to_string(), error }
                    }
                    Fault::Characters | Fault::Other => StoreError::Failed { store, error },
                }
            }
            other => StoreError::Failed { store, error: other.to_string() },
        }
    }
}

fn is_ascii(asked: &Asked) -> bool {
    asked.ids.iter().chain(&asked.keys).all(|name| name.is_ascii())
}

fn ascii(asked: &Asked) -> Asked {
    let of = |names: &[String]| names.iter().filter(|name| name.is_ascii()).cloned().collect();
    Asked { ids: of(&asked.ids), keys: of(&asked.keys) }
}

/// Whether a URL says how to encrypt; then it has the last word.
fn says_ssl_mode(url: &Secret) -> bool {
    let query = url.expose().split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| pair.starts_with("sslmode=") || pair.starts_with("ssl-mode="))
}

/// A file of an option that can be read now, as at every connection from then on.
fn readable(key: &'static str, path: &Path) -> Result<(), OpenError> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(OpenError::Option {
            key,
            value: format!("{} ({error})", path.display()),
            right: "a file that can be read",
        }),
    }
}

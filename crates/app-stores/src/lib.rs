//! Apps that are kept in a database: one question, asked of MySQL, PostgreSQL or DynamoDB. It must
//! not know what the answers are used for, and remembers nothing: how long an answer holds is for
//! who asks to decide.
//!
//! Nothing here connects before the first question, and whatever is wrong with a database is an
//! error of the question. The next question tries again.

#[cfg(any(feature = "sql", feature = "dynamodb"))]
mod deadline;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(any(feature = "sql", feature = "dynamodb"))]
mod entry;
mod error;
#[cfg(any(feature = "sql", feature = "dynamodb"))]
mod fields;
#[cfg(feature = "sql")]
mod sql;
mod store;

use std::sync::Arc;

use config::{AppManagerDriver, Config};

pub use error::{OpenError, StoreError};
pub use store::{AppStore, Broken, Found, Lookup, Wanted};

/// The store that the options choose; `None` for apps that stand in the options themselves.
///
/// It connects at the first [`find`](AppStore::find), so a store that cannot be reached is no error
/// here. What is one: options with which no store can ever work.
pub fn open(config: &Config) -> Result<Option<Arc<dyn AppStore>>, OpenError> {
    match config.app_manager.driver {
        AppManagerDriver::Array => Ok(None),
        #[cfg(feature = "mysql")]
        AppManagerDriver::Mysql => sql::mysql::open(config).map(Some),
        #[cfg(feature = "postgres")]
        AppManagerDriver::Postgres => sql::postgres::open(config).map(Some),
        #[cfg(feature = "dynamodb")]
        AppManagerDriver::Dynamodb => dynamodb::open(config).map(Some),
        #[allow(unreachable_patterns, reason = "only in a build with every driver")]
        driver => Err(OpenError::NotBuiltIn { driver: driver.name() }),
    }
}

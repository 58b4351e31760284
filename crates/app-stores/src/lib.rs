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

use std::pin::Pin;
use std::sync::Arc;

use config::{AppConfig, AppManagerDriver, Config};

pub use error::{OpenError, StoreError};

/// Apps that somebody asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Ids of apps.
    pub ids: Vec<String>,
    /// Keys of apps.
    pub keys: Vec<String>,
}

/// What a store knows of wanted apps; what is not in here does not exist there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The apps.
    pub apps: Vec<AppConfig>,
    /// What is there but cannot be an app.
    pub broken: Vec<Broken>,
}

/// An entry of a store that is no valid app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its id, as far as it could be read.
    pub id: String,
    /// Its key, as far as it could be read.
    pub key: String,
    /// What is wrong with it; no secret is in here.
    pub error: String,
}

/// The answer to [`AppStore::find`], once it is there.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Found, StoreError>> + Send + 'a>>;

/// A place where apps are kept.
pub trait AppStore: Send + Sync {
    /// Looks apps up, all of them in one question where the store can do that. It answers within
    /// its time limit, whatever the store does.
    fn find<'a>(&'a self, wanted: &'a Wanted) -> Answer<'a>;

    /// What the store is called in logs and metrics, as in `appManager.driver`.
    fn name(&self) -> &'static str;

    /// How many ids and keys may be looked up at once at most, together.
    fn batch(&self) -> usize;
}

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

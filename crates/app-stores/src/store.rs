//! The question that every store answers, and its answer. Must not know which stores there are.

use std::pin::Pin;

use config::AppConfig;

use crate::StoreError;

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
pub type Lookup<'a> = Pin<Box<dyn Future<Output = Result<Found, StoreError>> + Send + 'a>>;

/// A place where apps are kept.
pub trait AppStore: Send + Sync {
    /// Looks apps up, all of them in one question where the store can do that. It answers within
    /// its time limit, whatever the store does.
    fn find<'a>(&'a self, wanted: &'a Wanted) -> Lookup<'a>;

    /// What the store is called in logs and metrics, as in `appManager.driver`.
    fn name(&self) -> &'static str;

    /// How many ids and keys may be looked up at once at most, together.
    fn batch(&self) -> usize;
}

//! Servers for tests, and questions to stores.

mod bouncer;
mod dynamodb;
mod proxy;

use std::sync::Arc;

use app_stores::{AppStore, Found, OpenError, StoreError, Wanted};
use config::{Config, Sources};

pub(crate) use bouncer::Bouncer;
pub(crate) use dynamodb::Dynamo;
pub(crate) use proxy::Proxy;
pub(crate) use testkit::databases::{Fixture, Maria, Postgres};

/// The configuration that variables make.
pub(crate) fn configuration(options: &[(&str, String)]) -> Config {
    let env = options.iter().map(|(name, value)| (format!("SOKETI_{name}"), value.clone()));
    let sources = Sources { env: env.collect(), ..Sources::default() };
    config::load(&sources).unwrap_or_else(|errors| panic!("{errors}")).config
}

/// The store that variables choose; of two with one name the last holds.
pub(crate) fn try_store(options: &[(&str, String)]) -> Result<Arc<dyn AppStore>, OpenError> {
    app_stores::open(&configuration(options)).map(|store| store.unwrap())
}

pub(crate) fn store(options: &[(&str, String)]) -> Arc<dyn AppStore> {
    try_store(options).unwrap_or_else(|error| panic!("{error}"))
}

/// Options, and others that hold in their place.
pub(crate) fn with(
    mut options: Vec<(&'static str, String)>,
    others: &[(&'static str, &str)],
) -> Vec<(&'static str, String)> {
    for (name, value) in others {
        options.retain(|(old, _)| old != name);
        options.push((name, (*value).to_owned()));
    }
    options
}

pub(crate) fn wanted(ids: &[&str], keys: &[&str]) -> Wanted {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Wanted { ids: own(ids), keys: own(keys) }
}

pub(crate) async fn try_find(
    store: &Arc<dyn AppStore>,
    ids: &[&str],
    keys: &[&str],
) -> Result<Found, StoreError> {
    store.find(&wanted(ids, keys)).await
}

pub(crate) async fn find(store: &Arc<dyn AppStore>, ids: &[&str], keys: &[&str]) -> Found {
    try_find(store, ids, keys).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The ids of the apps that were found, sorted, and of what is broken.
pub(crate) fn ids(found: &Found) -> (Vec<&str>, Vec<&str>) {
    let mut apps: Vec<&str> = found.apps.iter().map(|app| app.id.as_str()).collect();
    let mut broken: Vec<&str> = found.broken.iter().map(|broken| broken.id.as_str()).collect();
    apps.sort_unstable();
    broken.sort_unstable();
    (apps, broken)
}

//! Typed access to settings by key.

use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use crate::kind;
use crate::model::{
    AdapterDriver, AppManagerDriver, CacheDriver, ClientOptions, LogFormat, MetricsDriver, Mode,
    NodeAddress, QueueDriver, RateLimiterDriver,
};
use crate::secret::Secret;
use crate::settings::Provenance;

/// Reads settings. A key that is not in the table, or has another type there, is a mistake in
/// this crate; it reads as null, and every test that loads a configuration fails on it.
#[derive(Clone, Copy)]
pub(super) struct Values<'a>(pub(super) &'a Provenance);

impl<'a> Values<'a> {
    pub(super) fn get(&self, key: &str) -> &'a Value {
        let setting = self.0.get(key);
        debug_assert!(setting.is_some(), "{key} is not in the table of options");
        setting.map_or(&Value::Null, |setting| setting.value())
    }

    pub(super) fn text(&self, key: &str) -> String {
        let text = self.get(key).as_str();
        debug_assert!(text.is_some(), "{key} is not a string");
        text.unwrap_or_default().to_owned()
    }

    pub(super) fn optional_text(&self, key: &str) -> Option<String> {
        self.get(key).as_str().map(str::to_owned)
    }

    pub(super) fn secret(&self, key: &str) -> Secret {
        Secret::new(self.text(key))
    }

    pub(super) fn optional_secret(&self, key: &str) -> Option<Secret> {
        self.optional_text(key).map(Secret::new)
    }

    pub(super) fn bool(&self, key: &str) -> bool {
        let yes = self.optional_bool(key);
        debug_assert!(yes.is_some(), "{key} is not a boolean");
        yes.unwrap_or_default()
    }

    pub(super) fn optional_bool(&self, key: &str) -> Option<bool> {
        self.get(key).as_bool()
    }

    /// An integer whose range in the table fits the type.
    pub(super) fn int<T: TryFrom<i64> + Default>(&self, key: &str) -> T {
        let number = self.get(key).as_i64().and_then(|n| T::try_from(n).ok());
        debug_assert!(number.is_some(), "{key} is not an integer of this type");
        number.unwrap_or_default()
    }

    pub(super) fn float(&self, key: &str) -> f64 {
        let number = self.get(key).as_f64();
        debug_assert!(number.is_some(), "{key} is not a number");
        number.unwrap_or_default()
    }

    /// A count where -1 = unlimited = `None`.
    pub(super) fn limit<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        self.get(key).as_i64().and_then(|n| T::try_from(n).ok())
    }

    /// Bytes, from a number of `unit`s where -1 = unlimited = `None`.
    pub(super) fn size(&self, key: &str, unit: usize) -> Option<usize> {
        // The table's ranges keep the product far below 2^53.
        let number = self.get(key).as_f64().filter(|n| *n >= 0.0)?;
        Some((number * unit as f64) as usize)
    }

    pub(super) fn seconds(&self, key: &str) -> Duration {
        Duration::from_secs(self.int(key))
    }

    /// Seconds where -1 = for ever = `None`.
    pub(super) fn optional_seconds(&self, key: &str) -> Option<Duration> {
        self.limit(key).map(Duration::from_secs)
    }

    pub(super) fn millis(&self, key: &str) -> Duration {
        Duration::from_millis(self.int(key))
    }

    fn items(&self, key: &str) -> &'a [Value] {
        self.get(key).as_array().map_or(&[], Vec::as_slice)
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        self.items(key).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn networks(&self, key: &str) -> Vec<IpNet> {
        self.items(key).iter().filter_map(|item| kind::network(item.as_str()?)).collect()
    }

    pub(super) fn nodes(&self, key: &str) -> Vec<NodeAddress> {
        // Canonical nodes have a port.
        self.items(key).iter().filter_map(|item| kind::node(item, 0)).collect()
    }

    /// The items of a list, each parsed.
    pub(super) fn parsed<T>(&self, key: &str, parse: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        self.items(key).iter().filter_map(parse).collect()
    }

    pub(super) fn object(&self, key: &str) -> ClientOptions {
        ClientOptions(self.get(key).as_object().cloned().unwrap_or_default())
    }

    pub(super) fn choice<T: Choice>(&self, key: &str) -> T {
        let choice = self.get(key).as_str().and_then(T::from_name);
        debug_assert!(choice.is_some(), "{key} has a name of another type");
        choice.unwrap_or_default()
    }
}

/// An enum of names.
pub(super) trait Choice: Default {
    fn from_name(name: &str) -> Option<Self>;
}

macro_rules! impl_choice {
    ($($name:ty),*) => {
        $(impl Choice for $name {
            fn from_name(name: &str) -> Option<Self> {
                <$name>::from_name(name)
            }
        })*
    };
}

impl_choice!(
    AdapterDriver,
    AppManagerDriver,
    CacheDriver,
    LogFormat,
    MetricsDriver,
    Mode,
    QueueDriver,
    RateLimiterDriver
);

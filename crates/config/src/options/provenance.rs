//! For each option the value in effect and where it comes from.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::OptionSpec;
use crate::mask;
use crate::secret::MASK;
use crate::source::Source;

/// One option's value in effect.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The option's key, with the number of the app.
    pub key: String,
    /// The option.
    pub spec: &'static OptionSpec,
    /// Where the value comes from.
    pub origin: Source,
    value: Value,
}

impl Setting {
    /// The value as JSON, fit to print: secrets are masked.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::String(text) if text.is_empty() => "\"\"".to_owned(),
            Value::Null => "null".to_owned(),
            _ if self.spec.secret => MASK.to_owned(),
            value => mask::masked(value).to_string(),
        }
    }

    /// Whether the value differs from the option's default.
    pub fn is_changed(&self) -> bool {
        self.value != self.spec.default.to_json()
    }

    /// The canonical value, secrets included.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }
}

/// Every option's value in effect, in the order of the table; apps in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    settings: Vec<Setting>,
    index: HashMap<String, usize>,
    apps: BTreeSet<usize>,
}

impl Provenance {
    /// All settings.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// The setting of a key such as `adapter.driver` or `appManager.array.apps.1.id`.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.index.get(key).map(|&at| &self.settings[at])
    }

    /// The numbers of the apps.
    pub(crate) fn apps(&self) -> impl Iterator<Item = usize> {
        self.apps.iter().copied()
    }

    /// Without a setting, of apps with these numbers.
    pub(crate) fn of_apps(apps: BTreeSet<usize>) -> Self {
        Provenance { apps, ..Provenance::default() }
    }

    /// Adds the setting of a key; without a value it has the option's default.
    pub(crate) fn set(&mut self, key: String, spec: &'static OptionSpec, value: Option<Value>) {
        let value = value.unwrap_or_else(|| spec.default.to_json());
        self.put(key, spec, value, Source::Default);
    }

    /// Adds the setting of a key.
    pub(crate) fn put(
        &mut self,
        key: String,
        spec: &'static OptionSpec,
        value: Value,
        origin: Source,
    ) {
        let setting = Setting { key, spec, origin, value };
        self.index.insert(setting.key.clone(), self.settings.len());
        self.settings.push(setting);
    }
}

//! Settings: for each option the value in effect and where it comes from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::error::ConfigError;
use crate::mask;
use crate::options::{self, OptionSpec};
use crate::read::{Given, Reading};
use crate::secret::MASK;
use crate::source::Source;
use crate::warning::Warning;

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

    /// Adds the setting of a key; without a value it has the option's default.
    pub(crate) fn set(&mut self, key: String, spec: &'static OptionSpec, value: Option<Value>) {
        let value = value.unwrap_or_else(|| spec.default.to_json());
        self.push(Setting { key, spec, origin: Source::Default, value });
    }

    fn push(&mut self, setting: Setting) {
        self.index.insert(setting.key.clone(), self.settings.len());
        self.settings.push(setting);
    }
}

/// Chooses for each option the strongest value that fits.
pub(crate) fn resolve(
    reading: Reading,
    errors: &mut Vec<ConfigError>,
    warnings: &mut Vec<Warning>,
) -> Provenance {
    let mut given: BTreeMap<String, Vec<Given>> = BTreeMap::new();
    let mut apps = reading.apps;
    for one in reading.given {
        apps.extend(options::app_key(&one.key).map(|(index, _)| index));
        given.entry(one.key.clone()).or_default().push(one);
    }
    // The first app is there, if only by its defaults, unless the file says that there is none.
    if !reading.no_apps {
        apps.insert(0);
    }
    let mut provenance = Provenance { apps: apps.clone(), ..Provenance::default() };
    let mut choose = |key: String, spec: &'static OptionSpec| {
        let candidates = given.remove(&key).unwrap_or_default();
        let chosen = strongest(&candidates, errors, warnings);
        let (value, origin) = chosen.unwrap_or_else(|| (spec.default.to_json(), Source::Default));
        if let Some(reason) = spec.ignored.filter(|_| origin != Source::Default) {
            let (key, origin) = (key.clone(), origin.clone());
            warnings.push(Warning::NoEffect { key, origin, reason });
        }
        provenance.push(Setting { key, spec, origin, value });
    };
    for section in options::sections() {
        if section.is_of_apps() {
            for &index in &apps {
                for (spec, field) in options::app_fields() {
                    choose(options::app_field_key(index, field), spec);
                }
            }
            continue;
        }
        for spec in &section.options {
            choose(spec.key.to_owned(), spec);
        }
    }
    provenance
}

/// The strongest value that fits. Every value that can only be meant for this server must fit,
/// even where a stronger one hides it; a bare variable is passed over.
fn strongest(
    candidates: &[Given],
    errors: &mut Vec<ConfigError>,
    warnings: &mut Vec<Warning>,
) -> Option<(Value, Source)> {
    let mut chosen = None;
    for given in candidates {
        if chosen.is_some() && !given.strict {
            continue;
        }
        let (key, origin) = (given.key.clone(), given.origin.clone());
        match given.raw.accept(given.spec) {
            Ok(value) => {
                chosen.get_or_insert((value, origin));
            }
            Err(allowed) if given.strict => {
                let value = given.raw.show(given.spec);
                errors.push(ConfigError::Invalid { key, value, origin, allowed });
            }
            Err(allowed) => warnings.push(Warning::ForeignVariable {
                env: given.spec.env.unwrap_or_default().to_owned(),
                value: given.raw.show(given.spec),
                key,
                origin,
                allowed,
            }),
        }
    }
    chosen
}

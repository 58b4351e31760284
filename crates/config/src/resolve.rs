//! From what the sources give for each option to the one value in effect.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ConfigError;
use crate::options::{self, OptionSpec, Provenance};
use crate::read::{Given, Reading};
use crate::source::Source;
use crate::warning::Warning;

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
    let mut provenance = Provenance::of_apps(apps.clone());
    let mut choose = |key: String, spec: &'static OptionSpec| {
        let candidates = given.remove(&key).unwrap_or_default();
        let chosen = strongest(&candidates, errors, warnings);
        let (value, origin) = chosen.unwrap_or_else(|| (spec.default.to_json(), Source::Default));
        if let Some(reason) = spec.ignored.filter(|_| origin != Source::Default) {
            let (key, origin) = (key.clone(), origin.clone());
            warnings.push(Warning::NoEffect { key, origin, reason });
        }
        provenance.put(key, spec, value, origin);
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

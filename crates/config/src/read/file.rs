//! The JSON file: dotted keys, nested objects, or both.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::json::Json;
use super::merge::merge;
use super::{Given, Raw, Reading};
use crate::error::ConfigError;
use crate::mask::{self, show};
use crate::options::{self, APPS, OptionSpec};
use crate::secret::MASK;
use crate::source::Source;
use crate::suggest::suggest;

/// Takes what the file's text gives.
pub(super) fn read(path: &Path, text: &str, reading: &mut Reading) {
    let not_json = |reason: String| ConfigError::NotJson { path: path.to_owned(), reason };
    let root = match serde_json::from_str(text) {
        Ok(root @ Json::Object(_)) => root,
        Ok(other) => {
            let reason = format!("it is {}", show(&other.into_value()));
            return reading.errors.push(not_json(reason));
        }
        Err(error) => return reading.errors.push(not_json(error.to_string())),
    };
    let origin = Source::File { path: path.to_owned() };
    let mut file =
        FileReader { origin, found: Vec::new(), index: HashMap::new(), parts: Vec::new(), reading };
    file.walk(String::new(), root);
    for (key, value) in std::mem::take(&mut file.parts) {
        file.set_part(&key, value);
    }
    let FileReader { origin, found, .. } = file;
    reading.given.extend(found.into_iter().map(|(key, spec, value)| Given {
        key,
        spec,
        raw: Raw::Json(value),
        origin: origin.clone(),
        strict: true,
    }));
}

struct FileReader<'a> {
    origin: Source,
    found: Vec<(String, &'static OptionSpec, Value)>,
    /// Where in `found` a key is.
    index: HashMap<String, usize>,
    /// Parts of structured options; they are set last, so that the order in the file does not
    /// matter.
    parts: Vec<(String, Value)>,
    reading: &'a mut Reading,
}

impl FileReader<'_> {
    /// `key` is the dotted key of `json`, however it was written: an object's key joins its
    /// members' with a dot.
    fn walk(&mut self, key: String, json: Json) {
        if let Some(spec) = options::by_key(&key) {
            return self.set(key, spec, json.into_value());
        }
        if part_of(&key).is_some() {
            return self.parts.push((key, json.into_value()));
        }
        self.reading.apps.extend(options::app_index(&key));
        match json {
            Json::Object(members) if options::is_group(&key) => {
                for (member, value) in members {
                    let dot = if key.is_empty() { "" } else { "." };
                    self.walk(format!("{key}{dot}{member}"), value);
                }
            }
            Json::Array(items) if key == APPS => {
                self.reading.no_apps |= items.is_empty();
                for (index, item) in items.into_iter().enumerate() {
                    self.walk(format!("{key}.{index}"), item);
                }
            }
            other if options::is_group(&key) => {
                let value = show(&other.into_value());
                let allowed = "must be a JSON object of options".to_owned();
                let origin = self.origin.clone();
                self.reading.errors.push(ConfigError::Invalid { key, value, origin, allowed });
            }
            other => {
                let error = unknown(key, &other.into_value(), self.origin.clone());
                self.reading.errors.push(error);
            }
        }
    }

    fn set(&mut self, key: String, spec: &'static OptionSpec, value: Value) {
        match self.index.get(&key) {
            None => {
                self.index.insert(key.clone(), self.found.len());
                self.found.push((key, spec, value));
            }
            Some(&at) => {
                let first = self.found[at].2.clone();
                if first != value {
                    self.conflict(key, spec, &first, &value);
                }
            }
        }
    }

    fn set_part(&mut self, key: &str, value: Value) {
        let Some((owner, spec, part)) = part_of(key) else { return };
        let at = match self.index.get(owner) {
            Some(&at) => at,
            None => {
                self.index.insert(owner.to_owned(), self.found.len());
                self.found.push((owner.to_owned(), spec, Value::Null));
                self.found.len() - 1
            }
        };
        if let Err(there) = merge(&mut self.found[at].2, part, value.clone()) {
            self.conflict(key.to_owned(), spec, &there, &value);
        }
    }

    fn conflict(&mut self, key: String, spec: &OptionSpec, first: &Value, second: &Value) {
        let secret = spec.secret || mask::names_secret(&key);
        let show = |value| if secret { MASK.to_owned() } else { show(value) };
        self.reading.errors.push(ConfigError::Conflict {
            origin: self.origin.clone(),
            first: show(first),
            second: show(second),
            key,
        });
    }
}

/// The structured option that a key is a part of, and the part.
fn part_of(key: &str) -> Option<(&str, &'static OptionSpec, &str)> {
    /// Deeper ones are nobody's options; setting them recurses.
    const MAX_DEPTH: usize = 32;
    if key.bytes().filter(|b| *b == b'.').count() > MAX_DEPTH {
        return None;
    }
    key.match_indices('.').find_map(|(at, _)| {
        let spec = options::by_key(&key[..at]).filter(|spec| spec.kind.is_structured())?;
        Some((&key[..at], spec, &key[at + 1..]))
    })
}

fn unknown(key: String, value: &Value, origin: Source) -> ConfigError {
    let suggestion = match options::app_key(&key) {
        Some((index, field)) => suggest(field, options::app_fields().map(|(_, name)| name))
            .map(|name| options::app_field_key(index, name)),
        // An option's name in the environment is understood, too.
        None => {
            suggest(&key, options::all().map(|spec| spec.key)).map(str::to_owned).or_else(|| {
                let name = key.strip_prefix(options::ENV_PREFIX).unwrap_or(&key);
                options::by_env(name).map(|spec| spec.key.to_owned())
            })
        }
    };
    let secret = mask::names_secret(&key)
        || suggestion.as_deref().and_then(options::by_key).is_some_and(|spec| spec.secret);
    let value = if secret && !value.is_object() { MASK.to_owned() } else { show(value) };
    ConfigError::Unknown { key, value, origin, suggestion }
}

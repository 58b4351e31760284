//! What a store has under an id or key, on its way to an app. Must not know which store.

use std::collections::HashSet;

use config::Limits;
use serde_json::{Map, Value};

use crate::{Broken, Found, Wanted};

/// A row or item: the fields that it has, in the spelling of configurations.
#[derive(Debug, Default)]
pub(crate) struct StoredApp {
    fields: Map<String, Value>,
    unreadable: Vec<String>,
}

impl StoredApp {
    /// Adds a field, or why it cannot be read.
    pub(crate) fn add(&mut self, field: &'static str, value: Result<Value, String>) {
        match value {
            Ok(value) => {
                self.fields.insert(field.to_owned(), value);
            }
            Err(error) => self.unreadable.push(format!("{field}: {error}")),
        }
    }

    /// A field that names an app.
    fn name(&self, field: &str) -> String {
        match self.fields.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }
}

/// What the entries say about what was asked for.
///
/// Databases compare loosely, without regard to case or to spaces at the end. Whoever asks wants
/// exactly these ids and keys, so what has others was not found.
pub(crate) fn found(
    entries: impl IntoIterator<Item = StoredApp>,
    asked: &Asked,
    limits: &Limits,
) -> Found {
    let ids: HashSet<&str> = asked.ids.iter().map(String::as_str).collect();
    let keys: HashSet<&str> = asked.keys.iter().map(String::as_str).collect();
    let mut seen = HashSet::new();
    let mut found = Found::default();
    for entry in entries {
        let (id, key) = (entry.name("id"), entry.name("key"));
        if !ids.contains(id.as_str()) && !keys.contains(key.as_str()) {
            continue;
        }
        // A store that is asked twice, by id and by key, answers twice.
        if !seen.insert((id.clone(), key.clone())) {
            continue;
        }
        let app = match entry.unreadable.is_empty() {
            true => config::app_from_json(&entry.fields, limits).map_err(|e| e.to_string()),
            false => Err(entry.unreadable.join("; ")),
        };
        match app {
            Ok(app) => found.apps.push(app),
            Err(error) => found.broken.push(Broken { id, key, error }),
        }
    }
    found
}

/// The ids and keys that a store can be asked for at all, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) ids: Vec<String>,
    pub(crate) keys: Vec<String>,
}

impl Asked {
    pub(crate) fn of(wanted: &Wanted) -> Self {
        Self { ids: names(&wanted.ids), keys: names(&wanted.keys) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.keys.is_empty()
    }
}

/// More bytes than this are no name of an app: DynamoDB's own limit for keys of tables.
const MAX_NAME_BYTES: usize = 2048;

/// One name that a store refuses would spoil the answer for all others. No app has a name that is
/// empty or has control characters in it, and PostgreSQL cannot even be asked for a NUL.
fn names(wanted: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let fits = |name: &&String| {
        (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control)
    };
    wanted.iter().filter(fits).filter(|name| seen.insert(name.as_str())).cloned().collect()
}

//! One app from its fields, for apps that are kept elsewhere than in the configuration. The fields
//! have the names, types, ranges and defaults that they have there. Must not know where they come
//! from.

use std::fmt;

use serde_json::{Map, Value};

use crate::options::{
    AppConfig, Limits, OptionSpec, Provenance, Table, Values, app_field_key, app_fields,
};
use crate::read::Raw;
use crate::suggest::suggest;

/// One thing that is wrong with an app. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// A field that every app needs.
    #[error("{0} is missing; every app needs an id, a key and a secret")]
    Missing(&'static str),
    /// A value of the wrong type or out of range.
    #[error("{field} = {value}: {allowed}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// The value, as JSON, shortened.
        value: String,
        /// What would be right: "must be ...".
        allowed: String,
    },
    /// A field that no app has.
    #[error("unknown field {field:?}{hint}")]
    Unknown {
        /// The field.
        field: String,
        /// "; did you mean ...?", or nothing.
        hint: String,
    },
}

/// Everything that is wrong with an app; never empty. `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppErrors(pub Vec<AppError>);

impl fmt::Display for AppErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if index > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for AppErrors {}

/// The fields that every app needs.
const CREDENTIALS: [&str; 3] =
    [AppConfig::id().key(), AppConfig::key().key(), AppConfig::secret().key()];

/// Makes an app of its fields, in the spelling of the configuration (`maxConnections`). A field
/// that is null, empty text or left out has its default; what the app does not limit is limited by
/// `limits`.
pub fn app_from_json(fields: &Map<String, Value>, limits: &Limits) -> Result<AppConfig, AppErrors> {
    let mut errors: Vec<AppError> = fields
        .keys()
        .filter(|name| app_fields().all(|(_, known)| known != name.as_str()))
        .map(|name| unknown(name))
        .collect();
    let mut settings = Provenance::default();
    for (spec, name) in app_fields() {
        let given = fields.get(name).filter(|value| !is_empty(value));
        if given.is_none() && CREDENTIALS.contains(&spec.key) {
            errors.push(AppError::Missing(name));
        }
        match accept(spec, name, given) {
            Ok(value) => settings.set(app_field_key(0, name), spec, value),
            Err(error) => errors.push(error),
        }
    }
    match errors.is_empty() {
        true => Ok(AppConfig::read(Values::of_app(&settings, 0, limits))),
        false => Err(AppErrors(errors)),
    }
}

/// Databases have nulls, and texts where other tools write nulls.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "null",
        _ => false,
    }
}

/// The canonical value of a field; `None` = its default.
fn accept(
    spec: &OptionSpec,
    field: &'static str,
    given: Option<&Value>,
) -> Result<Option<Value>, AppError> {
    let Some(value) = given else { return Ok(None) };
    let raw = match value {
        // JSON in a text: what is in it can be masked only when it is read as that.
        Value::String(text) if spec.kind.is_structured() => Raw::Text(text.clone()),
        value => Raw::Json(value.clone()),
    };
    raw.accept(spec).map(Some).map_err(|allowed| AppError::Invalid {
        field,
        value: raw.show(spec),
        allowed,
    })
}

fn unknown(field: &str) -> AppError {
    let hint = suggest(field, app_fields().map(|(_, known)| known))
        .map(|meant| format!("; did you mean {meant}?"))
        .unwrap_or_default();
    AppError::Unknown { field: field.to_owned(), hint }
}

//! What is wrong with a configuration. All of it is reported in one run.

use std::fmt;
use std::path::PathBuf;

use crate::source::Source;

/// One thing that is wrong. Values are printed as JSON, shortened, secrets masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key in the file, or a name behind `SOKETI_`, that no option has.
    #[error("unknown option {key} = {value} (from {origin}){}", hint(.suggestion))]
    Unknown {
        /// The key or variable as written.
        key: String,
        /// The value.
        value: String,
        /// Where it stands.
        origin: Source,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("{key} = {value} (from {origin}): {allowed}")]
    Invalid {
        /// The option's key.
        key: String,
        /// The value.
        value: String,
        /// Where it stands.
        origin: Source,
        /// What would be right: "must be ...".
        allowed: String,
    },
    /// A key that the file gives twice, with different values.
    #[error(
        "{key} (from {origin}): given twice, as {first} and as {second}; remove one of the two"
    )]
    Conflict {
        /// The option's key.
        key: String,
        /// Where it stands.
        origin: Source,
        /// One value.
        first: String,
        /// The other.
        second: String,
    },
    /// An app without a field that it needs.
    #[error("{key} (from {origin}): missing; every app needs an id, a key and a secret")]
    Missing {
        /// The option's key.
        key: String,
        /// Where the app stands.
        origin: Source,
    },
    /// Two apps with one id or one key.
    #[error("{second} = {value:?} (from {origin}): {first} is the same; it must be unique")]
    Duplicate {
        /// The key of the first app's field.
        first: String,
        /// The key of the second app's field.
        second: String,
        /// The id or key.
        value: String,
        /// Where the second stands.
        origin: Source,
    },
    /// Two options that do not fit together.
    #[error("{0}")]
    Inconsistent(String),
    /// A file that cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file that is not a JSON object.
    #[error("{} is not a JSON object: {reason}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Why not, with line and column.
        reason: String,
    },
}

fn hint(suggestion: &Option<String>) -> String {
    match suggestion {
        Some(name) => format!("; did you mean {name}?"),
        None => "; no option has this name".to_owned(),
    }
}

/// Everything that is wrong with a configuration; never empty. `Display` is one line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

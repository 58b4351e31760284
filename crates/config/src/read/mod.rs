//! Reads the sources and brings them to one form: for each option, the values given for it,
//! strongest first. Knows the names of options, not their meaning.

mod dotenv;
mod env;
mod file;
mod json;
mod merge;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::ConfigError;
use crate::kind::Kind;
use crate::mask::show;
use crate::options::OptionSpec;
use crate::secret::MASK;
use crate::source::Source;
use crate::warning::Warning;

/// Everything that a configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The JSON file, if any.
    pub config_file: Option<PathBuf>,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// The folder that may hold a file named `.env`.
    pub dotenv_dir: PathBuf,
}

/// A value that one source gives for one option.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The option's key, with the number of the app.
    pub(crate) key: String,
    /// The option.
    pub(crate) spec: &'static OptionSpec,
    /// The value.
    pub(crate) raw: Raw,
    /// Where it stands.
    pub(crate) origin: Source,
    /// Whether it can only be meant for this server: then a value that does not fit is an error.
    pub(crate) strict: bool,
}

/// A value as it was written.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    /// In the environment.
    Text(String),
    /// In the file.
    Json(Value),
}

impl Raw {
    /// The canonical value, or what would be right.
    pub(crate) fn accept(&self, spec: &OptionSpec) -> Result<Value, String> {
        let absent = match self {
            Self::Text(text) => text.trim().is_empty() || text == "null",
            Self::Json(Value::String(text)) => text.is_empty(),
            Self::Json(value) => value.is_null(),
        };
        if spec.nullable() && absent {
            return Ok(Value::Null);
        }
        match self {
            Self::Text(text) => spec.kind.accept_text(text),
            Self::Json(value) => spec.kind.accept(value),
        }
    }

    /// The value as it is printed in a message.
    pub(crate) fn show(&self, spec: &OptionSpec) -> String {
        if spec.secret {
            return MASK.to_owned();
        }
        match self {
            Self::Json(value) => show(value),
            Self::Text(text) => match serde_json::from_str::<Value>(text) {
                Ok(Value::Number(_)) => text.trim().to_owned(),
                Ok(value) => show(&value),
                // Not JSON, so nothing can be masked in it.
                _ if spec.kind == Kind::Object || spec.kind == Kind::Webhooks => {
                    format!("{MASK} ({} bytes that are not JSON)", text.len())
                }
                _ => show(&Value::String(text.clone())),
            },
        }
    }
}

/// What all sources give, and what is wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// For each option, strongest first.
    pub(crate) given: Vec<Given>,
    /// The numbers of the apps that the file has, even without a field.
    pub(crate) apps: BTreeSet<usize>,
    /// Whether the file says that there are no apps.
    pub(crate) no_apps: bool,
    /// What is wrong.
    pub(crate) errors: Vec<ConfigError>,
    /// What is worth saying.
    pub(crate) warnings: Vec<Warning>,
}

/// Reads all sources.
pub(crate) fn read(sources: &Sources) -> Reading {
    let mut reading = Reading::default();
    let variables = sources
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str(), Source::Env { name: name.clone() }));
    env::read(variables, &mut reading);
    read_dotenv(&sources.dotenv_dir.join(".env"), &mut reading);
    if let Some(path) = &sources.config_file {
        match contents(path) {
            Ok(text) => file::read(path, &text, &mut reading),
            Err(error) => reading.errors.push(unreadable(path, &error)),
        }
    }
    reading
}

fn read_dotenv(path: &Path, reading: &mut Reading) {
    let text = match contents(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        // A folder of this name is a Python environment, not a file of ours.
        Err(_) if path.is_dir() => return,
        Err(error) => return reading.errors.push(unreadable(path, &error)),
    };
    let (variables, broken) = dotenv::parse(&text);
    for (line, reason) in broken {
        let origin = format!("{}, line {line}", path.display());
        reading.warnings.push(Warning::DotEnv { origin, reason });
    }
    let variables = variables.iter().map(|(name, value)| {
        let origin = Source::DotEnv { path: path.to_owned(), name: name.clone() };
        (name.as_str(), value.as_str(), origin)
    });
    env::read(variables, reading);
}

/// The text of a file, without a byte order mark.
fn contents(path: &Path) -> io::Result<String> {
    /// Hundreds of thousands of apps; more is a mistake, or a device.
    const MAX: u64 = 64 << 20;
    let mut text = String::new();
    let read = File::open(path)?.take(MAX + 1).read_to_string(&mut text)?;
    if read as u64 > MAX {
        let message = format!("it has more than {MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string().to_lowercase() }
}

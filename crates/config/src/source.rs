//! Where a value comes from.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from, for messages and `check-config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The environment.
    Env {
        /// The variable's full name.
        name: String,
    },
    /// The `.env` file.
    DotEnv {
        /// The file.
        path: PathBuf,
        /// The variable's full name.
        name: String,
    },
    /// The JSON file.
    File {
        /// The file.
        path: PathBuf,
    },
    /// The table of options.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env { name } => f.write_str(name),
            Self::DotEnv { path, name } => write!(f, "{name} in {}", path.display()),
            Self::File { path } => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

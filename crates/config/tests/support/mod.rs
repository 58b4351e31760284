//! A configuration's sources in a folder of their own.
#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use config::{ConfigErrors, Loaded, Sources};
use serde_json::Value;

/// A folder that goes when this goes, and the sources in it.
pub(crate) struct Setup {
    pub(crate) dir: PathBuf,
    pub(crate) sources: Sources,
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// No file, no variables.
pub(crate) fn setup() -> Setup {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let unique = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("config-test-{}-{unique}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let sources = Sources { dotenv_dir: dir.clone(), ..Sources::default() };
    Setup { dir, sources }
}

impl Setup {
    pub(crate) fn env(mut self, variables: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.sources.env.extend(variables.iter().map(own));
        self
    }

    pub(crate) fn dotenv(self, text: &str) -> Self {
        std::fs::write(self.dir.join(".env"), text).unwrap();
        self
    }

    pub(crate) fn file(self, value: &Value) -> Self {
        self.text(&value.to_string())
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        std::fs::write(self.path(), text).unwrap();
        self.sources.config_file = Some(self.path());
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join("config.json")
    }

    pub(crate) fn try_load(&self) -> Result<Loaded, ConfigErrors> {
        config::load(&self.sources)
    }

    pub(crate) fn load(&self) -> Loaded {
        self.try_load().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The errors' messages, without the folder.
    pub(crate) fn errors(&self) -> Vec<String> {
        let errors = self.try_load().expect_err("it has errors");
        errors.0.iter().map(|error| short(&error.to_string(), &self.dir)).collect()
    }

    /// The warnings' messages, without the folder; the one about the default secret is left out.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.load().warnings;
        let own = |w: &&config::Warning| !matches!(w, config::Warning::DefaultSecret { .. });
        warnings.iter().filter(own).map(|w| short(&w.to_string(), &self.dir)).collect()
    }
}

fn short(message: &str, dir: &Path) -> String {
    message.replace(&format!("{}/", dir.display()), "")
}

//! Loading a configuration, and reloading its apps while the server runs.

use crate::assemble;
use crate::error::ConfigErrors;
use crate::options::{self, AppConfig, Config, Limits, Provenance, Setting};
use crate::read::{self, Sources};
use crate::resolve;
use crate::warning::Warning;

/// A configuration without errors.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is worth saying about it.
    pub warnings: Vec<Warning>,
    /// Every option's value in effect and where it comes from.
    pub provenance: Provenance,
}

/// Reads the sources and makes one configuration of them, or says everything that is wrong.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigErrors> {
    let (provenance, warnings) = resolve(sources)?;
    Ok(Loaded { config: assemble::config(&provenance), warnings, provenance })
}

fn resolve(sources: &Sources) -> Result<(Provenance, Vec<Warning>), ConfigErrors> {
    let mut reading = read::read(sources);
    let mut errors = std::mem::take(&mut reading.errors);
    let mut warnings = std::mem::take(&mut reading.warnings);
    let provenance = resolve::resolve(reading, &mut errors, &mut warnings);
    assemble::check(&provenance, &mut errors, &mut warnings);
    match errors.is_empty() {
        true => Ok((provenance, warnings)),
        false => Err(ConfigErrors(errors)),
    }
}

/// Reads the configuration of a running server again. Apps can change while it runs; for
/// everything else it says what has changed and needs a restart.
#[derive(Clone, Debug)]
pub struct Reloader {
    sources: Sources,
    started_with: Provenance,
    limits: Limits,
}

/// What a running server takes over from a configuration that was read again.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// The new apps. Limits that an app leaves out are those with which the server was started.
    pub apps: Vec<AppConfig>,
    /// The keys of the other options whose value is no longer the one with which the server was
    /// started: they need a restart.
    pub needs_restart: Vec<String>,
    /// What is worth saying.
    pub warnings: Vec<Warning>,
}

impl Reloader {
    /// For a server that was started with `loaded`, which was read from `sources`.
    pub fn new(sources: Sources, loaded: &Loaded) -> Self {
        Self {
            sources,
            started_with: loaded.provenance.clone(),
            limits: loaded.config.limits.clone(),
        }
    }

    /// Reads the `.env` and JSON files again; the environment is the one of the start. On errors
    /// the server keeps the apps that it has.
    pub fn reload(&self) -> Result<Reloaded, ConfigErrors> {
        let (provenance, warnings) = resolve(&self.sources)?;
        let changed = |setting: &&Setting| {
            options::app_key(&setting.key).is_none()
                && self.started_with.get(&setting.key).map(|old| old.value())
                    != Some(setting.value())
        };
        Ok(Reloaded {
            apps: AppConfig::all(&provenance, &self.limits),
            needs_restart: provenance.iter().filter(changed).map(|s| s.key.clone()).collect(),
            warnings,
        })
    }
}

//! How webhooks are sent.

use std::path::PathBuf;
use std::time::Duration;

/// How webhooks are sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long an attempt may take in all (K3).
    pub timeout: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// For how long after its first attempt a job is tried again (K3).
    pub retry_for: Duration,
    /// The first pause after a failure; each is twice the one before, up to `longest_pause`.
    pub first_pause: Duration,
    /// The longest pause after a failure.
    pub longest_pause: Duration,
    /// What all waiting jobs may take, in bytes. A partition may take a quarter of it.
    pub max_pending: usize,
    /// Requests at a time to one target of an app.
    pub requests_per_partition: usize,
    /// Requests at a time in all.
    pub requests: usize,
    /// Whether targets with private addresses are refused.
    pub deny_private_targets: bool,
    /// A PEM file with authorities that are believed besides those of the system.
    pub ca_path: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timeout: Duration::from_secs(4),
            connect_timeout: Duration::from_secs(2),
            retry_for: Duration::from_secs(300),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            max_pending: 64 << 20,
            requests_per_partition: 8,
            requests: 256,
            deny_private_targets: false,
            ca_path: None,
        }
    }
}

impl Settings {
    /// The settings that the options name; all else is as it is by default.
    pub fn of(options: &config::Webhooks) -> Self {
        Settings {
            retry_for: options.retry_for,
            max_pending: options.max_pending,
            deny_private_targets: options.deny_private_targets,
            ca_path: options.ca_path.clone(),
            ..Settings::default()
        }
    }

    /// What the jobs that wait for one target may take, in bytes.
    pub(crate) fn partition_pending(&self) -> usize {
        self.max_pending / 4
    }
}

/// What is wrong with settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file of authorities cannot be used.
    #[error("webhooks.caPath is {path}: {error}; it must be a PEM file with certificates")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: String,
    },
    /// TLS does not work here at all.
    #[error("webhooks cannot use tls: {0}")]
    Tls(String),
}

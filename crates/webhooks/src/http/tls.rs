//! Whom targets have to be vouched for by.

use std::path::Path;
use std::sync::Arc;

use ::tls::{Trust, add_roots, client_config, system_roots};
use rustls::{ClientConfig, RootCertStore};

use crate::SettingsError;

/// The system's authorities, and those in a PEM file.
pub(super) fn config(ca_path: Option<&Path>) -> Result<ClientConfig, SettingsError> {
    // Without any, http still works.
    let mut roots =
        system_roots().map_or_else(|_| RootCertStore::empty(), |roots| (*roots).clone());
    if let Some(path) = ca_path {
        let refused = |error: String| SettingsError::Authorities { path: path.to_owned(), error };
        let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
        add_roots(&mut roots, &pem).map_err(|error| refused(error.to_string()))?;
    }
    if roots.is_empty() {
        tracing::warn!(
            "this system has no authorities to believe: webhooks to https targets will fail"
        );
    }
    client_config(Trust::Named(Arc::new(roots)), None)
        .map_err(|error| SettingsError::Tls(error.to_string()))
}

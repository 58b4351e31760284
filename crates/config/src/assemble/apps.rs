//! What must hold between the options of apps.

use std::collections::HashMap;

use crate::error::ConfigError;
use crate::kind::webhook;
use crate::options::{
    AppConfig, AppManager, Limits, Provenance, Setting, Values, app_field_key, app_fields,
};
use crate::source::Source;
use crate::suggest::suggest;
use crate::warning::Warning;

/// What must hold for apps: each has its credentials, ids and keys are unique.
pub(crate) fn check(
    settings: &Provenance,
    errors: &mut Vec<ConfigError>,
    warnings: &mut Vec<Warning>,
) {
    let mut seen: HashMap<(&str, &str), &str> = HashMap::new();
    let are_configured = AppManager::has_configured_apps(settings);
    if are_configured && settings.apps().next().is_none() {
        warnings.push(Warning::NoApps);
    }
    for index in settings.apps() {
        let values = Values::of_app(settings, index, &Limits::NONE);
        let [id, key] = [AppConfig::id(), AppConfig::key()].map(|row| values.setting_of(&row));
        let secret = values.setting_of(&AppConfig::secret());
        let origin = app_origin(settings, index);
        // The defaults of the table are the first app's own.
        let credentials = [id, key, secret].into_iter().flatten();
        let missing = |found: &&Setting| index > 0 && found.origin == Source::Default;
        errors.extend(
            credentials.filter(missing).map(|found| ConfigError::Missing {
                key: found.key.clone(),
                origin: origin.clone(),
            }),
        );
        if let Some(secret) = secret.filter(|_| index == 0)
            && secret.origin == Source::Default
            && are_configured
        {
            warnings.push(Warning::DefaultSecret { key: secret.key.clone() });
        }
        for found in [id, key].into_iter().flatten() {
            let value = found.value().as_str().unwrap_or_default();
            if index > 0 && found.origin == Source::Default {
                continue;
            }
            if let Some(first) = seen.insert((found.spec.key, value), &found.key) {
                errors.push(ConfigError::Duplicate {
                    first: first.to_owned(),
                    second: found.key.clone(),
                    value: value.to_owned(),
                    origin: origin.clone(),
                });
            }
        }
        if let Some(webhooks) = values.setting_of(&AppConfig::webhooks()) {
            check_webhooks(webhooks, warnings);
        }
    }
}

fn check_webhooks(setting: &Setting, warnings: &mut Vec<Warning>) {
    let hooks = setting.value().as_array().map_or(&[][..], Vec::as_slice);
    let (key, origin) = (&setting.key, &setting.origin);
    for hook in hooks.iter().filter_map(|hook| webhook::parse(hook).ok()) {
        for name in hook.event_types {
            if webhook::EVENT_TYPES.contains(&name.as_str()) {
                continue;
            }
            let hint = suggest(&name, webhook::EVENT_TYPES.into_iter())
                .map(|meant| format!("; did you mean {meant:?}?"))
                .unwrap_or_default();
            let (key, origin) = (key.clone(), origin.clone());
            warnings.push(Warning::UnknownEventType { key, name, origin, hint });
        }
    }
}

/// Where an app stands: where any of its fields does, else the file.
fn app_origin(settings: &Provenance, index: usize) -> Source {
    let prefix = app_field_key(index, "");
    app_fields()
        .filter_map(|(_, field)| settings.get(&format!("{prefix}{field}")))
        .map(|setting| &setting.origin)
        .find(|origin| **origin != Source::Default)
        .cloned()
        .unwrap_or(Source::Default)
}

//! The apps, with their effective limits.

use std::collections::HashMap;

use super::KB;
use super::values::Values;
use crate::error::ConfigError;
use crate::kind::webhook;
use crate::model::{AppConfig, AppManagerDriver, Limits, OriginPattern};
use crate::options::{app_field_key, app_fields};
use crate::settings::{Provenance, Setting};
use crate::source::Source;
use crate::suggest::suggest;
use crate::warning::Warning;

/// The apps, in the order of their numbers; what an app leaves out is filled in from `limits`.
pub(crate) fn apps(settings: &Provenance, limits: &Limits) -> Vec<AppConfig> {
    let configured = settings.apps().filter(|_| are_configured(settings));
    configured.map(|index| app(settings, index, limits)).collect()
}

/// Whether the apps are those of the configuration, rather than of a database.
fn are_configured(settings: &Provenance) -> bool {
    Values(settings).text("appManager.driver") == AppManagerDriver::Array.name()
}

/// The app with this number.
pub(crate) fn app(settings: &Provenance, index: usize, server: &Limits) -> AppConfig {
    let v = Values(settings);
    let key = |field: &str| app_field_key(index, field);
    // Null = the server's limit, -1 = unlimited.
    let limit = |field: &str, server: Option<usize>| match v.get(&key(field)).is_null() {
        true => server,
        false => v.limit(&key(field)),
    };
    let size = |field: &str, server: Option<usize>| match v.get(&key(field)).is_null() {
        true => server,
        false => v.size(&key(field), KB),
    };
    AppConfig {
        id: v.text(&key("id")),
        key: v.text(&key("key")),
        secret: v.secret(&key("secret")),
        enabled: v.bool(&key("enabled")),
        enable_client_messages: v.bool(&key("enableClientMessages")),
        enable_user_authentication: v
            .optional_bool(&key("enableUserAuthentication"))
            .unwrap_or(false),
        enable_subscription_count: v.bool(&key("enableSubscriptionCount")),
        allowed_origins: v
            .parsed(&key("allowedOrigins"), |text| OriginPattern::parse(text.as_str()?)),
        max_connections: v.limit(&key("maxConnections")),
        max_backend_events_per_second: v.limit(&key("maxBackendEventsPerSecond")),
        max_client_events_per_second: v.limit(&key("maxClientEventsPerSecond")),
        max_read_requests_per_second: v.limit(&key("maxReadRequestsPerSecond")),
        limits: Limits {
            max_channel_name_length: limit("maxChannelNameLength", server.max_channel_name_length),
            max_event_name_length: limit("maxEventNameLength", server.max_event_name_length),
            max_event_payload: size("maxEventPayloadInKb", server.max_event_payload),
            max_event_channels: limit("maxEventChannelsAtOnce", server.max_event_channels),
            max_event_batch: limit("maxEventBatchSize", server.max_event_batch),
            max_presence_members: limit(
                "maxPresenceMembersPerChannel",
                server.max_presence_members,
            ),
            max_presence_member_size: size(
                "maxPresenceMemberSizeInKb",
                server.max_presence_member_size,
            ),
        },
        webhooks: v.parsed(&key("webhooks"), |hook| webhook::parse(hook).ok()),
    }
}

/// What must hold for apps: each has its credentials, ids and keys are unique.
pub(crate) fn check(
    settings: &Provenance,
    errors: &mut Vec<ConfigError>,
    warnings: &mut Vec<Warning>,
) {
    let mut seen: HashMap<(&str, &str), &str> = HashMap::new();
    let are_configured = are_configured(settings);
    if are_configured && settings.apps().next().is_none() {
        warnings.push(Warning::NoApps);
    }
    for index in settings.apps() {
        let setting = |field: &str| settings.get(&app_field_key(index, field));
        let origin = app_origin(settings, index);
        // The defaults of the table are the first app's own.
        let credentials = ["id", "key", "secret"].into_iter().filter_map(setting);
        let missing = |found: &&Setting| index > 0 && found.origin == Source::Default;
        errors.extend(
            credentials.filter(missing).map(|found| ConfigError::Missing {
                key: found.key.clone(),
                origin: origin.clone(),
            }),
        );
        if let Some(secret) = setting("secret").filter(|_| index == 0)
            && secret.origin == Source::Default
            && are_configured
        {
            warnings.push(Warning::DefaultSecret { key: secret.key.clone() });
        }
        for (field, found) in ["id", "key"].into_iter().filter_map(|f| Some((f, setting(f)?))) {
            let value = found.value().as_str().unwrap_or_default();
            if index > 0 && found.origin == Source::Default {
                continue;
            }
            if let Some(first) = seen.insert((field, value), &found.key) {
                errors.push(ConfigError::Duplicate {
                    first: first.to_owned(),
                    second: found.key.clone(),
                    value: value.to_owned(),
                    origin: origin.clone(),
                });
            }
        }
        if let Some(webhooks) = setting("webhooks") {
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

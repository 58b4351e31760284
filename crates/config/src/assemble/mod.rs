//! From settings to the typed [`Config`]. The settings have been validated one by one; what must
//! hold between them is checked here.

mod apps;

pub(crate) use apps::check as check_apps;

use crate::error::ConfigError;
use crate::model::{Mode, QueueDriver};
use crate::options::{
    AppConfig, Config, DatabasePooling, Limits, Provenance, Queue, Setting, SslOptions, Table,
    Values,
};
use crate::source::Source;
use crate::warning::Warning;

/// The typed configuration.
pub(crate) fn config(settings: &Provenance) -> Config {
    let mut config = Config::read(Values::of_server(settings));
    if config.connection.max_frame == 0 {
        config.connection.max_frame = automatic_max_frame(&config.limits, &config.apps);
    }
    config
}

/// Bytes of an inbound message, where the option is 0. The data of an event is a string inside
/// JSON, where a character of it may take two.
fn automatic_max_frame(limits: &Limits, apps: &[AppConfig]) -> usize {
    const KB: usize = 1 << 10;
    const LEAST: usize = 128 * KB;
    const MOST: usize = 16 * KB * KB;
    let payloads = apps.iter().map(|app| &app.limits).chain([limits]);
    let largest = payloads.map(|l| l.max_event_payload.unwrap_or(MOST)).max().unwrap_or(0);
    (largest.min(MOST) * 2 + 8 * KB).clamp(LEAST, MOST)
}

/// What must hold between settings.
pub(crate) fn check<'a>(
    settings: &'a Provenance,
    errors: &mut Vec<ConfigError>,
    warnings: &mut Vec<Warning>,
) {
    let values = Values::of_server(settings);
    let given = |setting: Option<&'a Setting>| setting.filter(|s| s.origin != Source::Default);
    let ssl = SslOptions::read(values);
    match (&ssl.cert, &ssl.key) {
        (Some(_), None) => errors.push(ConfigError::Inconsistent(
            "ssl.certPath is set without ssl.keyPath: tls needs both".to_owned(),
        )),
        (None, Some(_)) => errors.push(ConfigError::Inconsistent(
            "ssl.keyPath is set without ssl.certPath: tls needs both".to_owned(),
        )),
        (None, None) => warnings.extend(
            given(values.setting_of(&SslOptions::client_ca()))
                .filter(|_| ssl.client_ca.is_some())
                .map(|ca| Warning::NoTls { key: ca.key.clone(), origin: ca.origin.clone() }),
        ),
        (Some(_), Some(_)) => {}
    }
    if ssl.require_client_cert && ssl.client_ca.is_none() {
        errors.push(ConfigError::Inconsistent(
            "ssl.requireClientCert is true without ssl.caPath: nothing to verify against"
                .to_owned(),
        ));
    }
    let proxy_protocol = Config::proxy_protocol();
    if values.read(&proxy_protocol) && values.read(&Config::trusted_proxies()).is_empty() {
        let setting = given(values.setting_of(&proxy_protocol));
        warnings.extend(setting.map(|setting| Warning::NoEffect {
            key: setting.key.clone(),
            origin: setting.origin.clone(),
            reason: "trustedProxies is empty, so no connection may start with a header",
        }));
    }
    let DatabasePooling { min, max, .. } = DatabasePooling::read(values);
    if min > max {
        errors.push(ConfigError::Inconsistent(format!(
            "databasePooling.min = {min} is greater than databasePooling.max = {max}"
        )));
    }
    match (values.read(&Config::mode()), values.read(&Queue::driver())) {
        (Mode::Worker, QueueDriver::Sync) => errors.push(ConfigError::Inconsistent(
            "mode is worker and queue.driver is sync: a worker takes webhooks out of a queue that it \
             shares with the servers, so queue.driver must be redis or sqs here and there"
                .to_owned(),
        )),
        (Mode::Server, QueueDriver::Sync) => {
            let told = |setting: &Setting| Warning::NobodySends { origin: setting.origin.clone() };
            warnings.extend(given(values.setting_of(&Config::mode())).map(told));
        }
        _ => {}
    }
    check_apps(settings, errors, warnings);
}

//! From settings to the typed [`Config`]. The settings have been validated one by one; what must
//! hold between them is checked here.

mod apps;
mod drivers;
mod values;

use std::path::PathBuf;

pub(crate) use apps::{app, apps, check as check_apps};
use values::Values;

use crate::error::ConfigError;
use crate::model::{
    AppConfig, Config, Connection, Cors, Http, Inbox, Limits, Log, Metrics, Mode, QueueDriver, Ssl,
    Webhooks,
};
use crate::secret::Secret;
use crate::settings::{Provenance, Setting};
use crate::source::Source;
use crate::warning::Warning;

const KB: usize = 1 << 10;
const MB: usize = 1 << 20;

/// The typed configuration.
pub(crate) fn config(settings: &Provenance) -> Config {
    let v = Values(settings);
    let limits = limits(settings);
    let apps = apps(settings, &limits);
    Config {
        host: v.text("host"),
        port: v.int("port"),
        path_prefix: v.text("pathPrefix"),
        debug: v.bool("debug"),
        mode: v.choice("mode"),
        shards: v.int("shards"),
        reuse_port: v.bool("reusePort"),
        fd_reserve: v.int("fdReserve"),
        trusted_proxies: v.networks("trustedProxies"),
        proxy_protocol: v.bool("proxyProtocol"),
        strict_protocol_version: v.bool("strictProtocolVersion"),
        activity_timeout: v.seconds("activityTimeout"),
        pong_timeout: v.seconds("pongTimeout"),
        user_authentication_timeout: v.millis("userAuthenticationTimeout"),
        shutdown_grace: v.millis("shutdownGracePeriod"),
        log: Log { format: v.choice("log.format") },
        connection: Connection {
            max_pending: v.int::<usize>("connection.maxPendingInKb") * KB,
            max_frame: max_frame(v.int("connection.maxFrameInKb"), &limits, &apps),
            max_subscriptions: v.int("connection.maxSubscriptions"),
        },
        inbox: Inbox {
            max_events: v.int("inbox.maxEvents"),
            max_bytes: v.int::<usize>("inbox.maxMb") * MB,
        },
        http: Http {
            max_request: v.size("httpApi.requestLimitInMb", MB).unwrap_or(usize::MAX),
            keep_alive_timeout: v.seconds("httpApi.keepAliveTimeout"),
            memory_threshold: v.float("httpApi.acceptTraffic.memoryThreshold"),
        },
        cors: Cors {
            credentials: v.bool("cors.credentials"),
            origin: v.texts("cors.origin"),
            methods: v.texts("cors.methods"),
            allowed_headers: v.texts("cors.allowedHeaders"),
        },
        ssl: ssl(&v),
        metrics: Metrics {
            enabled: v.bool("metrics.enabled"),
            driver: v.choice("metrics.driver"),
            host: v.text("metrics.host"),
            port: v.int("metrics.port"),
            prefix: v.text("metrics.prometheus.prefix"),
        },
        app_manager: drivers::app_manager(&v),
        adapter: drivers::adapter(&v),
        cluster: drivers::cluster(&v),
        cache: drivers::cache(&v),
        queue: drivers::queue(&v),
        rate_limiter: drivers::rate_limiter(&v),
        webhooks: Webhooks {
            batching: v.bool("webhooks.batching.enabled"),
            batching_duration: v.millis("webhooks.batching.duration"),
            grace: v.millis("webhooks.grace"),
            retry_for: v.seconds("webhooks.retryFor"),
            max_pending: v.int::<usize>("webhooks.maxPendingInMb") * MB,
            ca_path: v.optional_text("webhooks.caPath").map(PathBuf::from),
            deny_private_targets: v.bool("webhooks.denyPrivateTargets"),
        },
        database: drivers::database(&v),
        database_pooling: drivers::pooling(&v),
        limits,
        apps,
    }
}

/// The server-wide limits.
fn limits(settings: &Provenance) -> Limits {
    let v = Values(settings);
    Limits {
        max_channel_name_length: v.limit("channelLimits.maxNameLength"),
        max_event_name_length: v.limit("eventLimits.maxNameLength"),
        max_event_payload: v.size("eventLimits.maxPayloadInKb", KB),
        max_event_channels: v.limit("eventLimits.maxChannelsAtOnce"),
        max_event_batch: v.limit("eventLimits.maxBatchSize"),
        max_presence_members: v.limit("presence.maxMembersPerChannel"),
        max_presence_member_size: v.size("presence.maxMemberSizeInKb", KB),
    }
}

/// Bytes of an inbound message; 0 KB = automatic. The data of an event is a string inside JSON,
/// where a character of it may take two.
fn max_frame(kb: usize, limits: &Limits, apps: &[AppConfig]) -> usize {
    const LEAST: usize = 128 * KB;
    const MOST: usize = 16 * MB;
    if kb > 0 {
        return kb * KB;
    }
    let payloads = apps.iter().map(|app| &app.limits).chain([limits]);
    let largest = payloads.map(|l| l.max_event_payload.unwrap_or(MOST)).max().unwrap_or(0);
    (largest.min(MOST) * 2 + 8 * KB).clamp(LEAST, MOST)
}

fn ssl(v: &Values<'_>) -> Option<Ssl> {
    let path = |key: &str| Some(v.text(key)).filter(|text| !text.is_empty()).map(PathBuf::from);
    let client_ca = path("ssl.caPath");
    Some(Ssl {
        cert: path("ssl.certPath")?,
        key: path("ssl.keyPath")?,
        passphrase: Some(v.text("ssl.passphrase")).filter(|p| !p.is_empty()).map(Secret::new),
        require_client_cert: client_ca.is_some() && v.bool("ssl.requireClientCert"),
        client_ca,
    })
}

/// What must hold between settings.
pub(crate) fn check(
    settings: &Provenance,
    errors: &mut Vec<ConfigError>,
    warnings: &mut Vec<Warning>,
) {
    let v = Values(settings);
    let given = |key: &str| settings.get(key).filter(|setting| setting.origin != Source::Default);
    let set = |key: &str| !v.text(key).is_empty();
    match (set("ssl.certPath"), set("ssl.keyPath")) {
        (true, false) => errors.push(ConfigError::Inconsistent(
            "ssl.certPath is set without ssl.keyPath: tls needs both".to_owned(),
        )),
        (false, true) => errors.push(ConfigError::Inconsistent(
            "ssl.keyPath is set without ssl.certPath: tls needs both".to_owned(),
        )),
        (false, false) => warnings.extend(
            given("ssl.caPath")
                .filter(|_| set("ssl.caPath"))
                .map(|ca| Warning::NoTls { key: ca.key.clone(), origin: ca.origin.clone() }),
        ),
        (true, true) => {}
    }
    if v.bool("ssl.requireClientCert") && !set("ssl.caPath") {
        errors.push(ConfigError::Inconsistent(
            "ssl.requireClientCert is true without ssl.caPath: nothing to verify against"
                .to_owned(),
        ));
    }
    if v.bool("proxyProtocol") && v.networks("trustedProxies").is_empty() {
        warnings.extend(given("proxyProtocol").map(|setting| Warning::NoEffect {
            key: setting.key.clone(),
            origin: setting.origin.clone(),
            reason: "trustedProxies is empty, so no connection may start with a header",
        }));
    }
    let (min, max): (u32, u32) = (v.int("databasePooling.min"), v.int("databasePooling.max"));
    if min > max {
        errors.push(ConfigError::Inconsistent(format!(
            "databasePooling.min = {min} is greater than databasePooling.max = {max}"
        )));
    }
    match (v.choice("mode"), v.choice("queue.driver")) {
        (Mode::Worker, QueueDriver::Sync) => errors.push(ConfigError::Inconsistent(
            "mode is worker and queue.driver is sync: a worker takes webhooks out of a queue that it \
             shares with the servers, so queue.driver must be redis or sqs here and there"
                .to_owned(),
        )),
        (Mode::Server, QueueDriver::Sync) => {
            let told = |setting: &Setting| Warning::NobodySends { origin: setting.origin.clone() };
            warnings.extend(given("mode").map(told));
        }
        _ => {}
    }
    check_apps(settings, errors, warnings);
}

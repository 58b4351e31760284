//! The options of an app. They are listed under the number of the first app; the others have the
//! same under their own.

use super::app_manager::AppManager;
use super::check::{app_limit, flag, origins, own_limit, own_size, text, webhooks};
use super::provenance::Provenance;
use super::row::{Table, TableRow, file_option, group, option, options};
use super::server::Limits;
use super::values::Values;
use crate::kind::Kind;
use crate::model::{OriginPattern, Webhook};
use crate::secret::Secret;

options! {
    /// An app with its effective limits: what the app leaves out has been filled in from the
    /// server-wide limits, and `None` = unlimited (written -1).
    pub struct AppConfig {
        /// Names the app in HTTP API paths.
        id: String =
            option("appManager.array.apps.0.id", "DEFAULT_APP_ID", text(Kind::Ident, "app-id"));
        /// Names the app in WebSocket URLs and signatures.
        key: String =
            option("appManager.array.apps.0.key", "DEFAULT_APP_KEY", text(Kind::Ident, "app-key"));
        /// Signs requests, subscriptions and webhooks.
        secret: Secret = option(
            "appManager.array.apps.0.secret",
            "DEFAULT_APP_SECRET",
            text(Kind::NonEmpty, "app-secret"),
        );
        /// A disabled app refuses connections and requests.
        enabled: bool =
            option("appManager.array.apps.0.enabled", "DEFAULT_APP_ENABLED", flag(true));
        /// Clients may send client events.
        enable_client_messages: bool = option(
            "appManager.array.apps.0.enableClientMessages",
            "DEFAULT_APP_ENABLE_CLIENT_MESSAGES",
            flag(false),
        );
        // W50.
        /// Authorized Connections: close connections that stay unauthorised for
        /// `userAuthenticationTimeout`; null = no.
        enable_user_authentication: bool = option(
            "appManager.array.apps.0.enableUserAuthentication",
            "DEFAULT_APP_USER_AUTHENTICATION",
            flag(false).or_null(),
        );
        // W52.
        /// Send `subscription_count` events.
        enable_subscription_count: bool = option(
            "appManager.array.apps.0.enableSubscriptionCount",
            "DEFAULT_APP_ENABLE_SUBSCRIPTION_COUNT",
            flag(false),
        );
        // W4.
        /// Origins from which browsers may connect, such as `https://example.com:8443`,
        /// `https://*.example.com` or `example.com`; empty = all.
        allowed_origins: Vec<OriginPattern> = option(
            "appManager.array.apps.0.allowedOrigins",
            "DEFAULT_APP_ALLOWED_ORIGINS",
            origins(),
        );
        /// Connections at a time; -1 = unlimited, like every limit of an app.
        max_connections: Option<u32> =
            option("appManager.array.apps.0.maxConnections", "DEFAULT_APP_MAX_CONNS", app_limit());
        /// Events published over HTTP, per second.
        max_backend_events_per_second: Option<u32> = option(
            "appManager.array.apps.0.maxBackendEventsPerSecond",
            "DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC",
            app_limit(),
        );
        /// Client events per second.
        max_client_events_per_second: Option<u32> = option(
            "appManager.array.apps.0.maxClientEventsPerSecond",
            "DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC",
            app_limit(),
        );
        /// Reading HTTP requests per second.
        max_read_requests_per_second: Option<u32> = option(
            "appManager.array.apps.0.maxReadRequestsPerSecond",
            "DEFAULT_APP_MAX_READ_REQ_PER_SEC",
            app_limit(),
        );
        /// Receivers of webhooks: `{url | lambda_function, event_types, headers, filter, lambda,
        /// region}`.
        webhooks: Vec<Webhook> =
            option("appManager.array.apps.0.webhooks", "DEFAULT_APP_WEBHOOKS", webhooks());
        /// The other limits.
        limits: Limits = group::<AppLimits>();
    }
}

options! {
    /// The limits that an app may have of its own.
    pub(crate) struct OwnLimits {
        /// null = `presence.maxMembersPerChannel`.
        max_presence_members: OwnLimit =
            file_option("appManager.array.apps.0.maxPresenceMembersPerChannel", own_limit());
        /// null = `presence.maxMemberSizeInKb`.
        max_presence_member_size: OwnLimit =
            file_option("appManager.array.apps.0.maxPresenceMemberSizeInKb", own_size());
        /// null = `channelLimits.maxNameLength`.
        max_channel_name_length: OwnLimit =
            file_option("appManager.array.apps.0.maxChannelNameLength", own_limit());
        /// null = `eventLimits.maxChannelsAtOnce`.
        max_event_channels: OwnLimit =
            file_option("appManager.array.apps.0.maxEventChannelsAtOnce", own_limit());
        /// null = `eventLimits.maxNameLength`.
        max_event_name_length: OwnLimit =
            file_option("appManager.array.apps.0.maxEventNameLength", own_limit());
        /// null = `eventLimits.maxPayloadInKb`.
        max_event_payload: OwnLimit =
            file_option("appManager.array.apps.0.maxEventPayloadInKb", own_size());
        /// null = `eventLimits.maxBatchSize`.
        max_event_batch: OwnLimit =
            file_option("appManager.array.apps.0.maxEventBatchSize", own_limit());
    }
}

/// A limit as an app has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnLimit {
    /// The app says nothing: the server's counts.
    Inherited,
    /// The app's own; `None` = unlimited.
    Own(Option<usize>),
}

impl OwnLimit {
    fn or(self, server: Option<usize>) -> Option<usize> {
        match self {
            Self::Inherited => server,
            Self::Own(limit) => limit,
        }
    }
}

/// The group of an app's limits: its own laid over those that it inherits.
pub(crate) struct AppLimits;

impl Table for AppLimits {
    type Value = Limits;

    const ENTRIES: &'static [TableRow] = OwnLimits::ENTRIES;

    fn read(values: Values<'_>) -> Limits {
        let (own, server) = (OwnLimits::read(values), values.inherited);
        Limits {
            max_channel_name_length: own.max_channel_name_length.or(server.max_channel_name_length),
            max_event_name_length: own.max_event_name_length.or(server.max_event_name_length),
            max_event_payload: own.max_event_payload.or(server.max_event_payload),
            max_event_channels: own.max_event_channels.or(server.max_event_channels),
            max_event_batch: own.max_event_batch.or(server.max_event_batch),
            max_presence_members: own.max_presence_members.or(server.max_presence_members),
            max_presence_member_size: own
                .max_presence_member_size
                .or(server.max_presence_member_size),
        }
    }
}

/// The group of all configured apps.
pub(crate) struct Apps;

impl Table for Apps {
    type Value = Vec<AppConfig>;

    const ENTRIES: &'static [TableRow] = AppConfig::ENTRIES;

    fn read(values: Values<'_>) -> Vec<AppConfig> {
        AppConfig::all(values.settings, &Limits::read(values))
    }
}

impl AppConfig {
    /// The apps, in the order of their numbers; what an app leaves out is filled in from `limits`.
    pub(crate) fn all(settings: &Provenance, limits: &Limits) -> Vec<AppConfig> {
        let is_so = AppManager::has_configured_apps(settings);
        let configured = settings.apps().filter(|_| is_so);
        configured.map(|app| AppConfig::read(Values::of_app(settings, app, limits))).collect()
    }

    /// Whether a connection with this `Origin` header may be opened. A client that sends none is
    /// not a browser and is let in.
    pub fn allows_origin(&self, origin: Option<&str>) -> bool {
        match origin {
            None => true,
            Some(origin) => {
                self.allowed_origins.is_empty()
                    || self.allowed_origins.iter().any(|pattern| pattern.matches(origin))
            }
        }
    }
}

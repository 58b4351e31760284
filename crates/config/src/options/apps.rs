//! Apps and where they come from.

use super::{OptionSpec, file_row, row};
use crate::kind::Kind;
use crate::model::AppManagerDriver;

/// -1 = unlimited, like every limit of an app.
const LIMIT: Kind = Kind::Int { min: -1, max: 4_294_967_295 };
const KB_LIMIT: Kind = Kind::Limit { max: 1_048_576.0 };

pub(super) const APP: &[OptionSpec] = &[
    row(
        "DEFAULT_APP_ID",
        "appManager.array.apps.0.id",
        Kind::Ident,
        r#""app-id""#,
        "Names the app in HTTP API paths.",
    ),
    row(
        "DEFAULT_APP_KEY",
        "appManager.array.apps.0.key",
        Kind::Ident,
        r#""app-key""#,
        "Names the app in WebSocket URLs and signatures.",
    ),
    row(
        "DEFAULT_APP_SECRET",
        "appManager.array.apps.0.secret",
        Kind::NonEmpty,
        r#""app-secret""#,
        "Signs requests, subscriptions and webhooks.",
    )
    .secret(),
    row(
        "DEFAULT_APP_ENABLED",
        "appManager.array.apps.0.enabled",
        Kind::Bool,
        "true",
        "A disabled app refuses connections and requests.",
    ),
    row(
        "DEFAULT_APP_ENABLE_CLIENT_MESSAGES",
        "appManager.array.apps.0.enableClientMessages",
        Kind::Bool,
        "false",
        "Clients may send client events.",
    ),
    row(
        "DEFAULT_APP_USER_AUTHENTICATION",
        "appManager.array.apps.0.enableUserAuthentication",
        Kind::Bool,
        "null",
        "Authorized Connections: close connections that stay unauthorised for `userAuthenticationTimeout`; null = no.",
    ),
    row(
        "DEFAULT_APP_ENABLE_SUBSCRIPTION_COUNT",
        "appManager.array.apps.0.enableSubscriptionCount",
        Kind::Bool,
        "false",
        "Send `subscription_count` events.",
    ),
    row(
        "DEFAULT_APP_ALLOWED_ORIGINS",
        "appManager.array.apps.0.allowedOrigins",
        Kind::Origins,
        "[]",
        "Origins from which browsers may connect, such as `https://example.com:8443`, `https://*.example.com` or `example.com`; empty = all.",
    ),
    row(
        "DEFAULT_APP_MAX_CONNS",
        "appManager.array.apps.0.maxConnections",
        LIMIT,
        "-1",
        "Connections at a time; -1 = unlimited, like every limit of an app.",
    ),
    row(
        "DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC",
        "appManager.array.apps.0.maxBackendEventsPerSecond",
        LIMIT,
        "-1",
        "Events published over HTTP, per second.",
    ),
    row(
        "DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC",
        "appManager.array.apps.0.maxClientEventsPerSecond",
        LIMIT,
        "-1",
        "Client events per second.",
    ),
    row(
        "DEFAULT_APP_MAX_READ_REQ_PER_SEC",
        "appManager.array.apps.0.maxReadRequestsPerSecond",
        LIMIT,
        "-1",
        "Reading HTTP requests per second.",
    ),
    row(
        "DEFAULT_APP_WEBHOOKS",
        "appManager.array.apps.0.webhooks",
        Kind::Webhooks,
        "[]",
        "Receivers of webhooks: `{url | lambda_function, event_types, headers, filter, lambda, region}`.",
    ),
    file_row(
        "appManager.array.apps.0.maxPresenceMembersPerChannel",
        LIMIT,
        "null",
        "null = `presence.maxMembersPerChannel`.",
    ),
    file_row(
        "appManager.array.apps.0.maxPresenceMemberSizeInKb",
        KB_LIMIT,
        "null",
        "null = `presence.maxMemberSizeInKb`.",
    ),
    file_row(
        "appManager.array.apps.0.maxChannelNameLength",
        LIMIT,
        "null",
        "null = `channelLimits.maxNameLength`.",
    ),
    file_row(
        "appManager.array.apps.0.maxEventChannelsAtOnce",
        LIMIT,
        "null",
        "null = `eventLimits.maxChannelsAtOnce`.",
    ),
    file_row(
        "appManager.array.apps.0.maxEventNameLength",
        LIMIT,
        "null",
        "null = `eventLimits.maxNameLength`.",
    ),
    file_row(
        "appManager.array.apps.0.maxEventPayloadInKb",
        KB_LIMIT,
        "null",
        "null = `eventLimits.maxPayloadInKb`.",
    ),
    file_row(
        "appManager.array.apps.0.maxEventBatchSize",
        LIMIT,
        "null",
        "null = `eventLimits.maxBatchSize`.",
    ),
];

pub(super) const APP_MANAGER: &[OptionSpec] = &[
    row(
        "APP_MANAGER_DRIVER",
        "appManager.driver",
        Kind::OneOf(AppManagerDriver::NAMES),
        r#""array""#,
        "Where apps come from; `array` = this configuration.",
    ),
    row(
        "APP_MANAGER_CACHE_ENABLED",
        "appManager.cache.enabled",
        Kind::Bool,
        "false",
        "Cache apps from a database.",
    ),
    row(
        "APP_MANAGER_CACHE_TTL",
        "appManager.cache.ttl",
        Kind::Int { min: -1, max: 31_536_000 },
        "-1",
        "For how long, in s; -1 = for ever.",
    ),
    row(
        "APP_MANAGER_DYNAMODB_TABLE",
        "appManager.dynamodb.table",
        Kind::NonEmpty,
        r#""apps""#,
        "DynamoDB table.",
    ),
    row(
        "APP_MANAGER_DYNAMODB_REGION",
        "appManager.dynamodb.region",
        Kind::NonEmpty,
        r#""us-east-1""#,
        "Its region.",
    ),
    row(
        "APP_MANAGER_DYNAMODB_ENDPOINT",
        "appManager.dynamodb.endpoint",
        Kind::Text,
        "null",
        "Endpoint instead of the region's own.",
    ),
    row(
        "APP_MANAGER_MYSQL_TABLE",
        "appManager.mysql.table",
        Kind::NonEmpty,
        r#""apps""#,
        "MySQL table.",
    ),
    row(
        "APP_MANAGER_MYSQL_VERSION",
        "appManager.mysql.version",
        Kind::Text,
        r#""8.0""#,
        "Accepted without effect.",
    )
    .ignored("the driver speaks to every version"),
    row(
        "APP_MANAGER_MYSQL_USE_V2",
        "appManager.mysql.useMysql2",
        Kind::Bool,
        "false",
        "Accepted without effect.",
    )
    .ignored("there is one mysql driver only"),
    row(
        "APP_MANAGER_POSTGRES_TABLE",
        "appManager.postgres.table",
        Kind::NonEmpty,
        r#""apps""#,
        "PostgreSQL table.",
    ),
    row(
        "APP_MANAGER_POSTGRES_VERSION",
        "appManager.postgres.version",
        Kind::Text,
        r#""13.3""#,
        "Accepted without effect.",
    )
    .ignored("the driver speaks to every version"),
];

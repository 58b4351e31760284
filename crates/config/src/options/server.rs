//! The server itself: listening, connections, TLS, HTTP, limits, metrics.

use super::{OptionSpec, file_row, row};
use crate::kind::Kind;
use crate::model::{LogFormat, MetricsDriver, Mode};

const BOOL: Kind = Kind::Bool;
const PORT: Kind = Kind::Int { min: 0, max: 65_535 };
const COUNT: Kind = Kind::Int { min: 1, max: 4_294_967_295 };
const SECONDS: Kind = Kind::Int { min: 1, max: 3_600 };
const KB: Kind = Kind::Float { min: 0.001, max: 1_048_576.0 };

pub(super) const SERVER: &[OptionSpec] = &[
    row("HOST", "host", Kind::Host, r#""0.0.0.0""#, "Address or host name to listen on."),
    row("PORT", "port", PORT, "6001", "Port to listen on; 0 lets the system choose."),
    row(
        "PATH_PREFIX",
        "pathPrefix",
        Kind::PathPrefix,
        r#""""#,
        "Prefix of every route, such as `/ws`.",
    ),
    row(
        "MODE",
        "mode",
        Kind::OneOf(Mode::NAMES),
        r#""full""#,
        "`full`: everything; `server`: everything but sending webhooks; `worker`: sending webhooks only.",
    ),
    row("DEBUG", "debug", BOOL, "false", "Verbose logging."),
    row(
        "LOG_FORMAT",
        "log.format",
        Kind::OneOf(LogFormat::NAMES),
        r#""text""#,
        "Log lines for people, or one JSON object per line.",
    ),
    row(
        "SHARDS",
        "shards",
        Kind::Int { min: 0, max: 1_024 },
        "0",
        "Connection threads; 0 = one per core.",
    ),
    row(
        "REUSE_PORT",
        "reusePort",
        BOOL,
        "false",
        "Share the port with other processes of this host; the system deals the connections out.",
    ),
    row(
        "FD_RESERVE",
        "fdReserve",
        Kind::Int { min: 0, max: 1_000_000 },
        "0",
        "File descriptors kept free for everything but connections; 0 = automatic.",
    ),
    row(
        "SHUTDOWN_GRACE_PERIOD",
        "shutdownGracePeriod",
        Kind::Int { min: 0, max: 3_600_000 },
        "3000",
        "Over how long connections are closed on shutdown, in ms.",
    ),
    row(
        "TRUSTED_PROXIES",
        "trustedProxies",
        Kind::Networks,
        "[]",
        "IP addresses and networks (CIDR) of proxies whose word about a client's address is believed.",
    ),
    row(
        "PROXY_PROTOCOL",
        "proxyProtocol",
        BOOL,
        "false",
        "Connections from `trustedProxies` start with a PROXY protocol header (v1 or v2).",
    ),
];

pub(super) const CONNECTIONS: &[OptionSpec] = &[
    row(
        "ACTIVITY_TIMEOUT",
        "activityTimeout",
        SECONDS,
        "30",
        "Silence after which either side pings, in s; told to clients.",
    ),
    row(
        "PONG_TIMEOUT",
        "pongTimeout",
        SECONDS,
        "30",
        "How long the answer to a ping may take, in s.",
    ),
    row(
        "USER_AUTHENTICATION_TIMEOUT",
        "userAuthenticationTimeout",
        Kind::Int { min: 1, max: 86_400_000 },
        "30000",
        "How long a connection may stay unauthorised where an app has `enableUserAuthentication`, in ms.",
    ),
    row(
        "STRICT_PROTOCOL_VERSION",
        "strictProtocolVersion",
        BOOL,
        "false",
        "Refuse connections whose `protocol` is missing or unknown.",
    ),
    row(
        "CONNECTION_MAX_PENDING_KB",
        "connection.maxPendingInKb",
        Kind::Int { min: 16, max: 1_048_576 },
        "1024",
        "What may wait to be written to one connection before it is closed as too slow, in KB.",
    ),
    row(
        "CONNECTION_MAX_FRAME_KB",
        "connection.maxFrameInKb",
        Kind::Int { min: 0, max: 1_048_576 },
        "0",
        "Largest inbound WebSocket message, in KB; 0 = automatic: twice the largest event payload limit plus 8 KB, at least 128 KB and at most 16 MB.",
    ),
    row(
        "CONNECTION_MAX_SUBSCRIPTIONS",
        "connection.maxSubscriptions",
        Kind::Int { min: 1, max: 1_000_000 },
        "1000",
        "Channels that one connection may be subscribed to.",
    ),
    row(
        "INBOX_MAX_EVENTS",
        "inbox.maxEvents",
        Kind::Int { min: 1, max: 16_777_216 },
        "65536",
        "Events that may wait for one connection thread.",
    ),
    row(
        "INBOX_MAX_MB",
        "inbox.maxMb",
        Kind::Int { min: 1, max: 65_536 },
        "64",
        "What may wait for one connection thread, in MB.",
    ),
];

pub(super) const TLS: &[OptionSpec] = &[
    row(
        "SSL_CERT",
        "ssl.certPath",
        Kind::Text,
        r#""""#,
        "PEM file with the certificate chain; set together with the key, it turns TLS on.",
    ),
    row("SSL_KEY", "ssl.keyPath", Kind::Text, r#""""#, "PEM file with the private key."),
    row("SSL_PASS", "ssl.passphrase", Kind::Text, r#""""#, "Passphrase of the private key.")
        .secret(),
    row(
        "SSL_CA",
        "ssl.caPath",
        Kind::Text,
        r#""""#,
        "PEM file with the authorities that client certificates are verified against; set, it makes the server ask for one, and refuse one that does not verify.",
    ),
    row(
        "SSL_REQUIRE_CLIENT_CERT",
        "ssl.requireClientCert",
        BOOL,
        "false",
        "Refuse clients that present no certificate.",
    ),
];

pub(super) const HTTP: &[OptionSpec] = &[
    row(
        "HTTP_MAX_REQUEST_SIZE",
        "httpApi.requestLimitInMb",
        Kind::Float { min: 0.001, max: 4_096.0 },
        "100",
        "Largest request body, in MB; above it 413.",
    ),
    row(
        "HTTP_KEEP_ALIVE_TIMEOUT",
        "httpApi.keepAliveTimeout",
        SECONDS,
        "75",
        "How long a connection may be idle, or take to send the head of a request, in s.",
    ),
    row(
        "HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD",
        "httpApi.acceptTraffic.memoryThreshold",
        Kind::Float { min: 0.0, max: 100.0 },
        "85",
        "Percent of the memory limit above which `/accept-traffic` answers 500.",
    ),
    file_row("cors.credentials", BOOL, "true", "Allow credentials in cross-origin requests."),
    file_row("cors.origin", Kind::TextList, r#"["*"]"#, "Origins that may make them."),
    file_row(
        "cors.methods",
        Kind::TokenList,
        r#"["GET", "POST", "PUT", "DELETE", "OPTIONS"]"#,
        "Methods that they may use.",
    ),
    file_row(
        "cors.allowedHeaders",
        Kind::TokenList,
        r#"["Origin", "Content-Type", "X-Auth-Token", "X-Requested-With", "Accept", "Authorization", "X-CSRF-TOKEN", "XSRF-TOKEN", "X-Socket-Id"]"#,
        "Headers that they may send.",
    ),
];

pub(super) const LIMITS: &[OptionSpec] = &[
    row(
        "CHANNEL_LIMITS_MAX_NAME_LENGTH",
        "channelLimits.maxNameLength",
        COUNT,
        "200",
        "Characters of a channel name.",
    ),
    row(
        "EVENT_MAX_NAME_LENGTH",
        "eventLimits.maxNameLength",
        COUNT,
        "200",
        "Characters of an event name.",
    ),
    row(
        "EVENT_MAX_SIZE_IN_KB",
        "eventLimits.maxPayloadInKb",
        KB,
        "100",
        "Data of an event, in KB.",
    ),
    row(
        "EVENT_MAX_CHANNELS_AT_ONCE",
        "eventLimits.maxChannelsAtOnce",
        COUNT,
        "100",
        "Channels that one trigger may name.",
    ),
    row(
        "EVENT_MAX_BATCH_SIZE",
        "eventLimits.maxBatchSize",
        COUNT,
        "10",
        "Events that one batch may hold.",
    ),
    row(
        "PRESENCE_MAX_MEMBERS",
        "presence.maxMembersPerChannel",
        COUNT,
        "100",
        "Members of a presence channel.",
    ),
    row(
        "PRESENCE_MAX_MEMBER_SIZE",
        "presence.maxMemberSizeInKb",
        KB,
        "2",
        "A member's `user_info`, in KB.",
    ),
];

pub(super) const METRICS: &[OptionSpec] = &[
    row("METRICS_ENABLED", "metrics.enabled", BOOL, "false", "Run the metrics server."),
    row(
        "METRICS_DRIVER",
        "metrics.driver",
        Kind::OneOf(MetricsDriver::NAMES),
        r#""prometheus""#,
        "Form of the metrics.",
    ),
    row(
        "METRICS_HOST",
        "metrics.host",
        Kind::Host,
        r#""0.0.0.0""#,
        "Address or host name to listen on.",
    ),
    row(
        "METRICS_SERVER_PORT",
        "metrics.port",
        PORT,
        "9601",
        "Port to listen on; 0 lets the system choose.",
    ),
    row(
        "METRICS_PROMETHEUS_PREFIX",
        "metrics.prometheus.prefix",
        Kind::MetricPrefix,
        r#""soketi_""#,
        "Prefix of every metric's name.",
    ),
];

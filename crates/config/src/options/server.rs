//! Connections, the HTTP API, limits and metrics.

use std::time::Duration;

use super::check::{
    count, flag, float, fractional_megabytes, int, kilobytes, listen_port, megabytes, payload,
    seconds, text, texts, tokens,
};
use super::row::{file_option, option, options};
use crate::kind::Kind;
use crate::model::MetricsDriver;

options! {
    /// Bounds of one connection.
    pub struct Connection {
        /// What may wait to be written to one connection before it is closed as too slow, in KB.
        max_pending: usize = option(
            "connection.maxPendingInKb",
            "CONNECTION_MAX_PENDING_KB",
            kilobytes(1024, 16..=1_048_576),
        );
        // The 0 is resolved once everything has been read.
        /// Largest inbound WebSocket message, in KB; 0 = automatic: twice the largest event payload
        /// limit plus 8 KB, at least 128 KB and at most 16 MB.
        max_frame: usize = option(
            "connection.maxFrameInKb",
            "CONNECTION_MAX_FRAME_KB",
            kilobytes(0, 0..=1_048_576),
        );
        /// Channels that one connection may be subscribed to.
        max_subscriptions: usize = option(
            "connection.maxSubscriptions",
            "CONNECTION_MAX_SUBSCRIPTIONS",
            int(1000, 1..=1_000_000),
        );
    }
}

options! {
    /// Bounds of a shard's inbox.
    pub struct Inbox {
        /// Events that may wait for one connection thread.
        max_events: usize =
            option("inbox.maxEvents", "INBOX_MAX_EVENTS", int(65_536, 1..=16_777_216));
        /// What may wait for one connection thread, in MB.
        max_bytes: usize = option("inbox.maxMb", "INBOX_MAX_MB", megabytes(64, 1..=65_536));
    }
}

options! {
    /// The HTTP API.
    pub struct Http {
        /// Largest request body, in MB; above it 413.
        max_request: usize = option(
            "httpApi.requestLimitInMb",
            "HTTP_MAX_REQUEST_SIZE",
            fractional_megabytes(100.0, 0.001..=4096.0),
        );
        /// How long a connection may be idle, or take to send the head of a request, in s.
        keep_alive_timeout: Duration =
            option("httpApi.keepAliveTimeout", "HTTP_KEEP_ALIVE_TIMEOUT", seconds(75, 1..=3600));
        /// Percent of the memory limit above which `/accept-traffic` answers 500.
        memory_threshold: f64 = option(
            "httpApi.acceptTraffic.memoryThreshold",
            "HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD",
            float(85.0, 0.0..=100.0),
        );
    }
}

options! {
    /// Cross-origin requests to the HTTP API.
    pub struct Cors {
        /// Allow credentials in cross-origin requests.
        credentials: bool = file_option("cors.credentials", flag(true));
        /// Origins that may make them.
        origin: Vec<String> = file_option("cors.origin", texts(&["*"]));
        /// Methods that they may use.
        methods: Vec<String> =
            file_option("cors.methods", tokens(&["GET", "POST", "PUT", "DELETE", "OPTIONS"]));
        /// Headers that they may send.
        allowed_headers: Vec<String> = file_option(
            "cors.allowedHeaders",
            tokens(&[
                "Origin", "Content-Type", "X-Auth-Token", "X-Requested-With", "Accept",
                "Authorization", "X-CSRF-TOKEN", "XSRF-TOKEN", "X-Socket-Id",
            ]),
        );
    }
}

options! {
    /// Limits on names, events and presence channels; `None` = unlimited. The same shape serves the
    /// server, where every limit is set, and an app, where what the app leaves out has been filled in
    /// from the server's.
    pub struct Limits {
        /// Characters of a channel name.
        max_channel_name_length: Option<usize> =
            option("channelLimits.maxNameLength", "CHANNEL_LIMITS_MAX_NAME_LENGTH", count(200));
        /// Characters of an event name.
        max_event_name_length: Option<usize> =
            option("eventLimits.maxNameLength", "EVENT_MAX_NAME_LENGTH", count(200));
        /// Data of an event, in KB.
        max_event_payload: Option<usize> =
            option("eventLimits.maxPayloadInKb", "EVENT_MAX_SIZE_IN_KB", payload(100.0));
        /// Channels that one trigger may name.
        max_event_channels: Option<usize> =
            option("eventLimits.maxChannelsAtOnce", "EVENT_MAX_CHANNELS_AT_ONCE", count(100));
        /// Events that one batch may hold.
        max_event_batch: Option<usize> =
            option("eventLimits.maxBatchSize", "EVENT_MAX_BATCH_SIZE", count(10));
        /// Members of a presence channel.
        max_presence_members: Option<usize> =
            option("presence.maxMembersPerChannel", "PRESENCE_MAX_MEMBERS", count(100));
        /// A member's `user_info`, in KB.
        max_presence_member_size: Option<usize> =
            option("presence.maxMemberSizeInKb", "PRESENCE_MAX_MEMBER_SIZE", payload(2.0));
    }
}

options! {
    /// The metrics server.
    pub struct Metrics {
        /// Run the metrics server.
        enabled: bool = option("metrics.enabled", "METRICS_ENABLED", flag(false));
        /// Form of the metrics.
        driver: MetricsDriver =
            option("metrics.driver", "METRICS_DRIVER", MetricsDriver::Prometheus.by_default());
        /// Address or host name to listen on.
        host: String = option("metrics.host", "METRICS_HOST", text(Kind::Host, "0.0.0.0"));
        /// Port to listen on; 0 lets the system choose.
        port: u16 = option("metrics.port", "METRICS_SERVER_PORT", listen_port(9601));
        /// Prefix of every metric's name.
        prefix: String = option(
            "metrics.prometheus.prefix",
            "METRICS_PROMETHEUS_PREFIX",
            text(Kind::MetricPrefix, "soketi_"),
        );
    }
}

impl Limits {
    /// No limit at all.
    pub(crate) const NONE: Self = Self {
        max_channel_name_length: None,
        max_event_name_length: None,
        max_event_payload: None,
        max_event_channels: None,
        max_event_batch: None,
        max_presence_members: None,
        max_presence_member_size: None,
    };
}

//! The whole configuration of one node: its sections, and the options that stand in no group.
//! Durations are `Duration`s and sizes are bytes here, whatever unit the option is written in.

use std::time::Duration;

use ipnet::IpNet;

use super::adapter::Adapter;
use super::app_manager::AppManager;
use super::apps::{AppConfig, Apps};
use super::cache::{Cache, RateLimiter};
use super::check::{DAY, flag, int, listen_port, millis, networks, seconds, text};
use super::cluster::Cluster;
use super::databases::{Database, DatabasePooling};
use super::row::{group, option, options};
use super::server::{Connection, Cors, Http, Inbox, Limits, Metrics};
use super::tls::{Ssl, TlsFiles};
use super::webhooks::{Queue, Webhooks};
use crate::kind::Kind;
use crate::model::{LogFormat, Mode};

options! {
    /// The whole effective configuration of one node.
    pub struct Config {
        section "Server";
        /// Address or host name to listen on.
        host: String = option("host", "HOST", text(Kind::Host, "0.0.0.0"));
        /// Port to listen on; 0 lets the system choose.
        port: u16 = option("port", "PORT", listen_port(6001));
        /// Prefix of every route, such as `/ws`.
        path_prefix: String = option("pathPrefix", "PATH_PREFIX", text(Kind::PathPrefix, ""));
        /// `full`: everything; `server`: everything but sending webhooks; `worker`: sending
        /// webhooks only.
        mode: Mode = option("mode", "MODE", Mode::Full.by_default());
        /// Verbose logging.
        debug: bool = option("debug", "DEBUG", flag(false));
        /// Logging.
        log: Log = group::<Log>();
        /// Connection threads; 0 = one per core.
        shards: usize = option("shards", "SHARDS", int(0, 0..=1024));
        /// Share the port with other processes of this host; the system deals the connections out.
        reuse_port: bool = option("reusePort", "REUSE_PORT", flag(false));
        /// File descriptors kept free for everything but connections; 0 = automatic.
        fd_reserve: usize = option("fdReserve", "FD_RESERVE", int(0, 0..=1_000_000));
        /// Over how long connections are closed on shutdown, in ms.
        shutdown_grace: Duration =
            option("shutdownGracePeriod", "SHUTDOWN_GRACE_PERIOD", millis(3000, 0..=3_600_000));
        /// IP addresses and networks (CIDR) of proxies whose word about a client's address is
        /// believed.
        trusted_proxies: Vec<IpNet> = option("trustedProxies", "TRUSTED_PROXIES", networks());
        /// Connections from `trustedProxies` start with a PROXY protocol header (v1 or v2).
        proxy_protocol: bool = option("proxyProtocol", "PROXY_PROTOCOL", flag(false));

        section "Connections";
        // W7.
        /// Silence after which either side pings, in s; told to clients.
        activity_timeout: Duration =
            option("activityTimeout", "ACTIVITY_TIMEOUT", seconds(30, 1..=3600));
        // W11.
        /// How long the answer to a ping may take, in s.
        pong_timeout: Duration = option("pongTimeout", "PONG_TIMEOUT", seconds(30, 1..=3600));
        // W50.
        /// How long a connection may stay unauthorised where an app has `enableUserAuthentication`,
        /// in ms.
        user_authentication_timeout: Duration = option(
            "userAuthenticationTimeout",
            "USER_AUTHENTICATION_TIMEOUT",
            millis(30_000, 1..=DAY),
        );
        /// Refuse connections whose `protocol` is missing or unknown.
        strict_protocol_version: bool =
            option("strictProtocolVersion", "STRICT_PROTOCOL_VERSION", flag(false));
        /// Bounds of one connection.
        connection: Connection = group::<Connection>();
        /// Bounds of a shard's inbox.
        inbox: Inbox = group::<Inbox>();

        section "TLS";
        /// TLS on the main port; `None` when no certificate is configured.
        ssl: Option<Ssl> = group::<TlsFiles>();

        section "HTTP API";
        /// The HTTP API.
        http: Http = group::<Http>();
        /// Cross-origin requests to the HTTP API.
        cors: Cors = group::<Cors>();

        section "Limits";
        /// The server-wide limits, all of them set.
        limits: Limits = group::<Limits>();

        section "Metrics";
        /// The metrics server.
        metrics: Metrics = group::<Metrics>();

        section "Apps";
        /// The configured apps, none if they come from a database. Ids and keys are unique.
        apps: Vec<AppConfig> = group::<Apps>();

        section "App manager";
        /// Where apps come from.
        app_manager: AppManager = group::<AppManager>();

        section "Webhooks";
        /// Sending webhooks.
        webhooks: Webhooks = group::<Webhooks>();

        section "Cache channels";
        /// The last events of cache channels.
        cache: Cache = group::<Cache>();

        section "Rate limiter";
        /// Who counts towards rate limits.
        rate_limiter: RateLimiter = group::<RateLimiter>();

        section "Adapter";
        /// How nodes reach each other.
        adapter: Adapter = group::<Adapter>();

        section "Cluster";
        /// Finding and watching other nodes.
        cluster: Cluster = group::<Cluster>();

        section "Queue";
        /// The queue of webhooks.
        queue: Queue = group::<Queue>();

        section "Databases";
        /// The pool of SQL connections.
        database_pooling: DatabasePooling = group::<DatabasePooling>();
        /// Connections to databases.
        database: Database = group::<Database>();
    }
}

options! {
    /// Logging.
    pub struct Log {
        /// Log lines for people, or one JSON object per line.
        format: LogFormat = option("log.format", "LOG_FORMAT", LogFormat::Text.by_default());
    }
}

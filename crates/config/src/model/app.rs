//! An app: its credentials, its limits and what it allows.

use super::{ClientOptions, Limits, OriginPattern};
use crate::secret::Secret;

/// An app with its effective limits: what the app leaves out has been filled in from the
/// server-wide limits, and `None` = unlimited (written -1).
#[derive(Clone, Debug, PartialEq)]
pub struct AppConfig {
    /// `id`: names the app in HTTP API paths. Never empty.
    pub id: String,
    /// `key`: names the app in WebSocket URLs and signatures. Never empty.
    pub key: String,
    /// `secret`: signs requests, subscriptions and webhooks. Never empty.
    pub secret: Secret,
    /// `enabled`: a disabled app refuses connections and requests.
    pub enabled: bool,
    /// `enableClientMessages`: whether clients may send client events.
    pub enable_client_messages: bool,
    /// `enableUserAuthentication`: Authorized Connections (W50).
    pub enable_user_authentication: bool,
    /// `enableSubscriptionCount`: whether `subscription_count` events are sent (W52).
    pub enable_subscription_count: bool,
    /// `allowedOrigins`: the origins that may connect; empty = all (W4).
    pub allowed_origins: Vec<OriginPattern>,
    /// `maxConnections`: connections at a time.
    pub max_connections: Option<u32>,
    /// `maxBackendEventsPerSecond`: events published over HTTP, per second.
    pub max_backend_events_per_second: Option<u32>,
    /// `maxClientEventsPerSecond`: client events per second.
    pub max_client_events_per_second: Option<u32>,
    /// `maxReadRequestsPerSecond`: reading HTTP requests per second.
    pub max_read_requests_per_second: Option<u32>,
    /// The other limits.
    pub limits: Limits,
    /// `webhooks`: who is told about what happens in the app.
    pub webhooks: Vec<Webhook>,
}

impl AppConfig {
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

/// One receiver of webhooks (K6).
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// Where it goes.
    pub target: WebhookTarget,
    /// `event_types`: the events wanted, such as `channel_occupied`.
    pub event_types: Vec<String>,
    /// `headers`: added to the request; values may be secret.
    pub headers: Vec<(String, Secret)>,
    /// `filter.channel_name_starts_with`, if any.
    pub channel_name_starts_with: Option<String>,
    /// `filter.channel_name_ends_with`, if any; both filters must match.
    pub channel_name_ends_with: Option<String>,
}

/// Where a webhook goes.
#[derive(Clone, Debug, PartialEq)]
pub enum WebhookTarget {
    /// `url`: an HTTP POST.
    Url(String),
    /// `lambda_function`: an AWS Lambda function.
    Lambda {
        /// `lambda_function`: its name.
        function: String,
        /// `lambda.async`: whether to wait for the function's result.
        asynchronous: bool,
        /// `lambda.region`, or `region` beside `lambda_function`.
        region: Option<String>,
        /// `lambda.client_options`: settings of the AWS client.
        client_options: ClientOptions,
    },
}

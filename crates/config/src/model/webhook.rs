//! Receivers of webhooks.

use super::ClientOptions;
use crate::secret::Secret;

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

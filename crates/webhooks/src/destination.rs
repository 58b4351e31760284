//! Where jobs go: a target of an app, with the headers that the app adds.

use std::sync::Arc;

use config::{Secret, Webhook, WebhookTarget};

/// A target of an app.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// The app's id.
    pub app: Arc<str>,
    /// A URL or a function.
    pub target: WebhookTarget,
    /// Headers that the app adds; they cannot replace those of a webhook.
    pub headers: Vec<(String, Secret)>,
    /// Names app and target: what fails together and has its limits together.
    pub partition: Arc<str>,
    /// Names the target in metrics and the log without its secrets: a host, or `lambda:function`.
    pub label: Arc<str>,
}

impl Destination {
    /// The destination that a webhook of an app names.
    pub fn new(app: Arc<str>, hook: &Webhook) -> Self {
        Self::from_parts(app, hook.target.clone(), hook.headers.clone())
    }

    pub(crate) fn from_parts(
        app: Arc<str>,
        target: WebhookTarget,
        headers: Vec<(String, Secret)>,
    ) -> Self {
        let (partition, label) = match &target {
            WebhookTarget::Url(url) => (format!("{app} {url}"), host(url).to_owned()),
            WebhookTarget::Lambda { function, region, .. } => {
                let region = region.as_deref().unwrap_or_default();
                (format!("{app} lambda:{region}:{function}"), format!("lambda:{function}"))
            }
        };
        Destination { app, target, headers, partition: partition.into(), label: label.into() }
    }

    /// About what it takes in memory, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.expose().len()).sum();
        2 * self.partition.len() + self.app.len() + headers
    }
}

#[cfg(test)]
impl Destination {
    /// A URL that an app wants everything at.
    pub(crate) fn of_url(app: &str, url: String) -> Self {
        let hook = Webhook {
            target: WebhookTarget::Url(url),
            event_types: vec![],
            headers: vec![],
            channel_name_starts_with: None,
            channel_name_ends_with: None,
        };
        Destination::new(app.into(), &hook)
    }
}

/// The host in a URL, without a user and a port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_the_host_alone() {
        let labels = [
            ("https://example.com/hook?token=1", "example.com"),
            ("http://user:pass@example.com:8080", "example.com"),
            ("http://[::1]:80/a@b:c", "[::1]"),
            ("http://[::1]", "[::1]"),
        ];
        for (url, label) in labels {
            assert_eq!(host(url), label);
        }
    }
}

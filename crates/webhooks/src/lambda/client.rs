//! Clients of AWS Lambda as webhooks configure them; each is made once.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Credentials;
use config::ClientOptions;
use parking_lot::Mutex;

use super::Function;
use super::transport::LambdaTransport;
use crate::http::Http;
use crate::{Failure, Settings, SettingsError};

/// Clients that are kept; beyond that all are made anew.
const MAX_CLIENTS: usize = 64;

/// Clients by region and options.
#[derive(Debug)]
pub(crate) struct Clients {
    /// Reaches functions.
    http: Http,
    /// Reaches who gives this machine its credentials, which has a private address.
    machine: Http,
    pub(super) timeout: Duration,
    clients: Mutex<HashMap<String, Client>>,
}

impl Clients {
    /// Invokes through `http`.
    pub(crate) fn new(settings: &Settings, http: Http) -> Result<Self, SettingsError> {
        let machine = match settings.deny_private_targets {
            true => Http::new(settings, false)?,
            false => http.clone(),
        };
        let clients = Mutex::new(HashMap::new());
        Ok(Clients { http, machine, timeout: settings.timeout, clients })
    }

    /// The client that invokes a function.
    pub(super) async fn of(&self, function: Function<'_>) -> Result<Client, Failure> {
        let region = function
            .region
            .or_else(|| text(function.options, &["region"]))
            .or_else(|| region_in_arn(function.name));
        let options = serde_json::Value::Object(function.options.0.clone());
        let key = format!("{} {options}", region.unwrap_or_default());
        if let Some(client) = self.clients.lock().get(&key) {
            return Ok(client.clone());
        }
        let client = self.make(region, function.options).await?;
        let mut clients = self.clients.lock();
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }

    async fn make(&self, region: Option<&str>, options: &ClientOptions) -> Result<Client, Failure> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(LambdaTransport(self.machine.clone()))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // A partition decides when to try again.
            .retry_config(RetryConfig::disabled());
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(endpoint) = text(options, &["endpoint"]) {
            loader = loader.endpoint_url(endpoint);
        }
        let credential = |name| text(options, &["credentials", name]);
        if let (Some(id), Some(secret)) = (credential("accessKeyId"), credential("secretAccessKey"))
        {
            let token = credential("sessionToken").map(str::to_owned);
            loader =
                loader.credentials_provider(Credentials::new(id, secret, token, None, "webhook"));
        }
        let shared = loader.load().await;
        if shared.region().is_none() {
            return Err(Failure::Unusable("the webhook must name the function's region".into()));
        }
        let config = aws_sdk_lambda::config::Builder::from(&shared);
        Ok(Client::from_conf(config.http_client(LambdaTransport(self.http.clone())).build()))
    }
}

/// A string in the options.
fn text<'a>(options: &'a ClientOptions, path: &[&str]) -> Option<&'a str> {
    let (first, rest) = path.split_first()?;
    let value = rest.iter().try_fold(options.0.get(*first)?, |value, name| value.get(name))?;
    value.as_str().filter(|text| !text.is_empty())
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME` says where the function is.
fn region_in_arn(name: &str) -> Option<&str> {
    let mut parts = name.strip_prefix("arn:")?.split(':').skip(1);
    parts.next().filter(|service| *service == "lambda")?;
    parts.next().filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_the_region() {
        let region = region_in_arn("arn:aws:lambda:eu-west-1:123456789012:function:hook:prod");
        assert_eq!(region, Some("eu-west-1"));
        assert_eq!(region_in_arn("hook"), None);
        assert_eq!(region_in_arn("123456789012:function:hook"), None);
        assert_eq!(region_in_arn("arn:aws:s3:::bucket"), None);
    }
}

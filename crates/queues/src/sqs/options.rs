//! What is configured, in the spelling of the AWS SDK for JavaScript.

use std::fmt;
use std::time::Duration;

use config::{Secret, Sqs};
use serde_json::{Map, Value};

use crate::QueueOpenError;

/// The longest time that a poll may wait, by the documentation of SQS.
const LONGEST_POLL: i32 = 20;
/// The option that has settings of the client.
const CLIENT: &str = "queue.sqs.clientOptions";

/// How to reach the queue, and how it is used.
#[derive(Clone, Debug)]
pub(super) struct SqsOptions {
    pub(super) url: String,
    /// Whether the queue keeps messages in order.
    pub(super) fifo: bool,
    pub(super) region: String,
    pub(super) endpoint: Option<String>,
    /// None = as usual on AWS: environment, profile, the role of a container or of a machine.
    pub(super) credentials: Option<AccessKeys>,
    pub(super) attempts: Option<u32>,
    /// How many messages a poll brings at most.
    pub(super) batch: i32,
    /// How long a poll waits for messages, in seconds.
    pub(super) poll: i32,
    /// The pause after a poll that found nothing.
    pub(super) pause: Duration,
}

/// An access key.
#[derive(Clone)]
pub(super) struct AccessKeys {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) session: Option<Secret>,
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SqsOptions {
    pub(super) fn new(sqs: &Sqs) -> Result<Self, QueueOpenError> {
        let url = sqs.queue_url.clone();
        let Some(origin) = origin(&url) else {
            return Err(QueueOpenError::Option {
                option: "queue.sqs.queueUrl",
                value: format!("{url:?}"),
                right: "the URL of the queue, such as https://sqs.us-east-1.amazonaws.com/1/name.fifo",
            });
        };
        let client = &sqs.client_options.0;
        for option in client.keys().filter(|option| !KNOWN.contains(&option.as_str())) {
            tracing::warn!(option, "an option of a client of SQS has no effect here");
        }
        // As for the AWS SDK for JavaScript, which takes the queue's URL for the place to call.
        let elsewhere = (!origin.contains(".amazonaws.com")).then(|| origin.to_owned());
        let endpoint = text(client, "endpoint")?.or(sqs.endpoint.clone()).filter(|e| !e.is_empty());
        if let Some(endpoint) = &endpoint
            && self::origin(endpoint).is_none()
        {
            return Err(QueueOpenError::Option {
                option: "queue.sqs.endpoint",
                value: format!("{endpoint:?}"),
                right: "a URL such as http://localhost:4566",
            });
        }
        Ok(SqsOptions {
            fifo: url.ends_with(".fifo"),
            region: text(client, "region")?.unwrap_or_else(|| sqs.region.clone()),
            endpoint: endpoint.or(elsewhere),
            credentials: keys(client)?,
            attempts: attempts(client)?,
            batch: if sqs.process_batch { sqs.batch_size.clamp(1, 10) as i32 } else { 1 },
            poll: LONGEST_POLL,
            pause: sqs.polling_wait,
            url,
        })
    }
}

const KNOWN: [&str; 8] = [
    "accessKeyId",
    "credentials",
    "endpoint",
    "maxAttempts",
    "maxRetries",
    "region",
    "secretAccessKey",
    "sessionToken",
];

/// Scheme and host of a URL.
fn origin(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let fits = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control());
    fits.then(|| &url[..url.len() - rest.len() + host.len()])
}

fn wrong<T>(value: impl Into<String>, right: &'static str) -> Result<T, QueueOpenError> {
    Err(QueueOpenError::Option { option: CLIENT, value: value.into(), right })
}

fn text(options: &Map<String, Value>, name: &str) -> Result<Option<String>, QueueOpenError> {
    match options.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => wrong(
            format!("an object whose {name:?} is no string"),
            "an object whose \"region\", \"endpoint\" and credentials are strings",
        ),
    }
}

/// `credentials`, or its parts beside the other options.
fn keys(options: &Map<String, Value>) -> Result<Option<AccessKeys>, QueueOpenError> {
    let within = match options.get("credentials") {
        None | Some(Value::Null) => options,
        Some(Value::Object(within)) => within,
        Some(_) => {
            return wrong(
                "an object whose \"credentials\" are none",
                "an object whose \"credentials\" are {\"accessKeyId\", \"secretAccessKey\"}",
            );
        }
    };
    match (text(within, "accessKeyId")?, text(within, "secretAccessKey")?) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => Ok(Some(AccessKeys {
            id,
            secret: Secret::new(secret),
            session: text(within, "sessionToken")?.map(Secret::new),
        })),
        _ => wrong(
            "an object with half an access key",
            "an object with both \"accessKeyId\" and \"secretAccessKey\", or none",
        ),
    }
}

fn attempts(options: &Map<String, Value>) -> Result<Option<u32>, QueueOpenError> {
    for (name, more) in [("maxAttempts", 0), ("maxRetries", 1)] {
        let Some(value) = options.get(name).filter(|value| !value.is_null()) else { continue };
        let number = value.as_u64().filter(|number| (0..=100).contains(number));
        return match number.map(|number| (number as u32 + more).max(1)) {
            Some(attempts) => Ok(Some(attempts)),
            None => wrong(
                format!("an object whose {name:?} is {value}"),
                "an object whose \"maxRetries\" is a number from 0 to 100",
            ),
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use config::ClientOptions;
    use serde_json::json;

    use super::*;

    fn sqs(url: &str, client: Value) -> Sqs {
        Sqs {
            region: "us-east-1".into(),
            client_options: ClientOptions(client.as_object().unwrap().clone()),
            queue_url: url.into(),
            endpoint: None,
            process_batch: false,
            batch_size: 10,
            polling_wait: Duration::ZERO,
        }
    }

    const URL: &str = "https://sqs.us-east-1.amazonaws.com/1/a.fifo";

    #[test]
    fn the_spelling_of_javascript() {
        let keys = json!({ "accessKeyId": "id", "secretAccessKey": "hush", "sessionToken": "s" });
        for client in [keys.clone(), json!({ "credentials": keys })] {
            let options = SqsOptions::new(&sqs(URL, client)).unwrap();
            let keys = options.credentials.as_ref().unwrap();
            assert_eq!((keys.id.as_str(), keys.secret.expose()), ("id", "hush"));
            assert!(!format!("{options:?}").contains("hush"));
            assert!(options.fifo && options.batch == 1 && options.endpoint.is_none());
        }
        let client = json!({ "region": "eu-west-1", "maxRetries": 0, "endpoint": "http://b:1" });
        let options = SqsOptions::new(&sqs("http://a:1/0/b", client)).unwrap();
        assert_eq!((options.region.as_str(), options.attempts), ("eu-west-1", Some(1)));
        assert_eq!(options.endpoint.as_deref(), Some("http://b:1"));
        assert!(!options.fifo);
    }

    #[test]
    fn a_queue_elsewhere_is_called_where_it_is() {
        let options = SqsOptions::new(&sqs("http://localhost:9324/queue/a", json!({}))).unwrap();
        assert_eq!(options.endpoint.as_deref(), Some("http://localhost:9324"));
    }

    #[test]
    fn what_can_never_work_is_refused_by_name() {
        let refused = |url, client| SqsOptions::new(&sqs(url, client)).unwrap_err().to_string();
        for url in ["", "name", "ftp://a/b", "https:///a"] {
            assert!(refused(url, json!({})).starts_with("queue.sqs.queueUrl is "), "{url}");
        }
        for client in [
            json!({ "region": 1 }),
            json!({ "credentials": "hush" }),
            json!({ "accessKeyId": "hush" }),
            json!({ "maxRetries": -1 }),
        ] {
            let told = refused(URL, client);
            assert!(told.starts_with("queue.sqs.clientOptions is "), "{told}");
            assert!(!told.contains("hush"), "{told}");
        }
    }
}

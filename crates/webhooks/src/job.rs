//! One request to be made: exact bytes with an address.
//! It must not know when it is made, nor with which key it is signed.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use config::{ClientOptions, Secret, WebhookTarget};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Destination;

/// The version of [`Job::encode`]'s form. A new member that old nodes may overlook changes nothing.
const VERSION: u32 = 1;

/// What a job takes in memory besides its text, in bytes, generously.
const OVERHEAD: usize = 512;

/// One request to be made.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where it goes.
    pub to: Arc<Destination>,
    /// Jobs of one partition and group arrive in order: a channel, or the partition itself for what was
    /// gathered.
    pub group: Arc<str>,
    /// The body, byte for byte.
    pub body: Bytes,
    /// How many events are in the body.
    pub events: u32,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
}

/// Why bytes are no job.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// They are not the JSON that a job is.
    #[error("not a webhook job: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A node of a newer version made it.
    #[error("a webhook job of version {0}, this node knows versions up to {VERSION}")]
    Version(u32),
    /// It names no target.
    #[error("a webhook job with neither url nor lambda_function")]
    NoTarget,
}

/// A job as JSON. The body is text, so that a person who looks into a queue can read it.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    version: u32,
    app: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda: Option<StoredFunction<'a>>,
    #[serde(default)]
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    group: Cow<'a, str>,
    body: Cow<'a, str>,
    events: u32,
    created_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredFunction<'a> {
    function: Cow<'a, str>,
    #[serde(rename = "async", default)]
    asynchronous: bool,
    #[serde(default)]
    region: Option<Cow<'a, str>>,
    #[serde(default)]
    client_options: Cow<'a, Map<String, Value>>,
}

impl Job {
    /// Names app and target.
    pub fn partition(&self) -> &Arc<str> {
        &self.to.partition
    }

    /// The job as bytes, for a queue. The app's secret is not in them; headers that the app adds
    /// and settings of the AWS client are.
    pub fn encode(&self) -> Vec<u8> {
        let (mut url, mut lambda) = (None, None);
        match &self.to.target {
            WebhookTarget::Url(text) => url = Some(Cow::Borrowed(text.as_str())),
            WebhookTarget::Lambda { function, asynchronous, region, client_options } => {
                lambda = Some(StoredFunction {
                    function: Cow::Borrowed(function),
                    asynchronous: *asynchronous,
                    region: region.as_deref().map(Cow::Borrowed),
                    client_options: Cow::Borrowed(&client_options.0),
                });
            }
        }
        let headers = self.to.headers.iter();
        let stored = Stored {
            version: VERSION,
            app: Cow::Borrowed(&self.to.app),
            url,
            lambda,
            headers: headers.map(|(n, v)| (n.as_str().into(), v.expose().into())).collect(),
            group: Cow::Borrowed(&self.group),
            body: String::from_utf8_lossy(&self.body),
            events: self.events,
            created_ms: self.created_ms,
        };
        serde_json::to_vec(&stored).expect("text, numbers and maps with text keys are JSON")
    }

    /// The job that [`encode`](Self::encode) made the bytes of, on whichever node. Members that
    /// are not known are left alone.
    ///
    /// # Errors
    /// If the bytes are no job, or one of a newer form.
    pub fn decode(bytes: &[u8]) -> Result<Job, DecodeError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        // First, for a newer form may differ in everything else.
        let Version { version } = serde_json::from_slice(bytes)?;
        if version > VERSION {
            return Err(DecodeError::Version(version));
        }
        let stored: Stored<'_> = serde_json::from_slice(bytes)?;
        let target = match (stored.url, stored.lambda) {
            (Some(url), _) => WebhookTarget::Url(url.into_owned()),
            (None, Some(lambda)) => WebhookTarget::Lambda {
                function: lambda.function.into_owned(),
                asynchronous: lambda.asynchronous,
                region: lambda.region.map(Cow::into_owned),
                client_options: ClientOptions(lambda.client_options.into_owned()),
            },
            (None, None) => return Err(DecodeError::NoTarget),
        };
        let headers = stored.headers.into_iter();
        let headers = headers.map(|(n, v)| (n.into_owned(), Secret::new(v))).collect();
        Ok(Job {
            to: Arc::new(Destination::from_parts(stored.app.into(), target, headers)),
            group: stored.group.into(),
            body: stored.body.into_owned().into(),
            events: stored.events,
            created_ms: stored.created_ms,
        })
    }

    /// About what it takes in memory, in bytes; what it shares is counted as its own.
    pub(crate) fn weight(&self) -> usize {
        self.body.len() + self.group.len() + self.to.weight() + OVERHEAD
    }
}

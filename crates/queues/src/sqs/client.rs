//! Calls of SQS, and what their errors mean.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use failures::error_report;
use tokio::sync::OnceCell;

use super::options::SqsOptions;
use crate::QueueError;
use crate::counters::Tally;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one attempt may take; a poll, which waits, takes 20 seconds.
const ATTEMPT: Duration = Duration::from_secs(25);

/// Makes the SDK's client when it is needed first, since finding credentials waits.
pub(super) struct SqsClient {
    options: SqsOptions,
    sqs: OnceCell<aws_sdk_sqs::Client>,
    tally: Arc<Tally>,
}

impl SqsClient {
    pub(super) fn new(options: SqsOptions, tally: Arc<Tally>) -> Self {
        SqsClient { options, sqs: OnceCell::new(), tally }
    }

    pub(super) async fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| make(&self.options)).await
    }

    /// Counts an answer, and says what an error means.
    pub(super) fn judge<T, E>(
        &self,
        answer: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, QueueError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let error = match answer {
            Ok(answer) => {
                self.tally.answered("sqs");
                return Ok(answer);
            }
            Err(error) => error,
        };
        let refused = match &error {
            SdkError::ServiceError(said) => {
                let later = NOT_NOW.contains(&said.err().code().unwrap_or_default());
                !later && said.raw().status().as_u16() < 500
            }
            _ => false,
        };
        let reason = error_report(&error);
        if refused {
            self.tally.failed();
            Err(QueueError::Refused(reason))
        } else {
            self.tally.away("sqs", &reason);
            Err(QueueError::Away(reason))
        }
    }
}

/// What SQS says when it could do the same a little later.
const NOT_NOW: [&str; 8] = [
    "InternalError",
    "InternalFailure",
    "KmsThrottled",
    "OverLimit",
    "RequestThrottled",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
];

async fn make(options: &SqsOptions) -> aws_sdk_sqs::Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(options.region.clone()))
        .timeout_config(timeouts.build());
    if let Some(endpoint) = &options.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(attempts) = options.attempts {
        loader = loader.retry_config(RetryConfig::standard().with_max_attempts(attempts));
    }
    if let Some(keys) = &options.credentials {
        let session = keys.session.as_ref().map(|session| session.expose().to_owned());
        let secret = keys.secret.expose();
        loader = loader
            .credentials_provider(Credentials::new(&keys.id, secret, session, None, "options"));
    }
    aws_sdk_sqs::Client::new(&loader.load().await)
}

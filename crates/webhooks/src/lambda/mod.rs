//! One attempt at a function of AWS Lambda, through the official client.
//! It must not know what happens after a failure.
//!
//! The function gets `{"payload": <the body>, "headers": {..}}`, the body byte for byte.

mod client;
mod transport;

use std::error::Error;
use std::time::Duration;

use aws_sdk_lambda::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use config::ClientOptions;
use failures::error_chain;

pub(crate) use self::client::Clients;
use crate::http::request;
use crate::{Credential, Failure, Job};

/// For how long the result of a function is waited for. It runs on when nobody waits, so giving up
/// earlier than it does would only run it twice at a time.
const RESULT: Duration = Duration::from_secs(30);

/// What is shown of an error in words that are not ours, in characters.
const SHOWN: usize = 200;

/// A function to be invoked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    /// Whether its result is of no interest.
    pub(crate) asynchronous: bool,
    pub(crate) region: Option<&'a str>,
    pub(crate) options: &'a ClientOptions,
}

impl Clients {
    /// Invokes a function with a job. Success is that it has returned, or for an asynchronous
    /// one, that it was accepted.
    pub(crate) async fn invoke(
        &self,
        function: Function<'_>,
        job: &Job,
        credential: &Credential,
    ) -> Result<(), Failure> {
        let client = self.of(function).await?;
        let (kind, limit) = match function.asynchronous {
            true => (InvocationType::Event, self.timeout),
            false => (InvocationType::RequestResponse, self.timeout.max(RESULT)),
        };
        let call = client.invoke().function_name(function.name).invocation_type(kind);
        let call = call.payload(Blob::new(payload(job, credential))).send();
        let answered = tokio::time::timeout(limit, call).await;
        let output = answered.map_err(|_| Failure::TimedOut(limit))?.map_err(failure)?;
        match output.function_error() {
            None => Ok(()),
            Some(error) => {
                let said = output.payload().map(|blob| blob.as_ref()).unwrap_or_default();
                Err(Failure::Function(format!("{error}: {}", shown(said))))
            }
        }
    }
}

/// What the function gets.
fn payload(job: &Job, credential: &Credential) -> Vec<u8> {
    let headers: serde_json::Map<_, _> = request::headers(job, credential)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let mut payload = Vec::with_capacity(job.body.len() + 512);
    payload.extend_from_slice(br#"{"payload":"#);
    payload.extend_from_slice(&job.body);
    payload.extend_from_slice(br#","headers":"#);
    payload.extend_from_slice(serde_json::Value::Object(headers).to_string().as_bytes());
    payload.push(b'}');
    payload
}

/// The beginning of a text.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(SHOWN).collect()
}

fn failure<E>(error: SdkError<E, HttpResponse>) -> Failure
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let SdkError::ServiceError(service) = &error {
        let (error, answer) = (service.err(), service.raw());
        return Failure::Function(match error.code() {
            Some(code) => format!("{code}: {}", error.message().unwrap_or_default()),
            // It may not have come from AWS.
            None => {
                let said = answer.body().bytes().unwrap_or_default();
                format!("status {}: {}", answer.status(), shown(said))
            }
        });
    }
    // What our own transport says is somewhere among the causes.
    match error_chain(&error).find_map(|cause| cause.downcast_ref::<Failure>()) {
        Some(failure) => failure.clone(),
        None => Failure::Function(DisplayErrorContext(&error).to_string()),
    }
}

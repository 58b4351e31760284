//! What can go wrong with a request to DynamoDB, and whose fault it is.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use failures::error_report;

use super::ATTEMPT;
use crate::StoreError;

/// Why a request failed; the table's name is added by [`of`](Self::of).
#[derive(Debug)]
pub(super) enum Failure {
    Unreachable(String),
    TimedOut,
    Refused(String),
    Table(String),
    Other(String),
}

impl Failure {
    pub(super) fn of(self, store: &'static str, table: &str) -> StoreError {
        match self {
            Self::Unreachable(error) => StoreError::Unreachable { store, error },
            Self::TimedOut => StoreError::TimedOut { store, after: ATTEMPT },
            Self::Refused(error) => StoreError::Refused { store, error },
            Self::Table(error) => StoreError::Table { store, table: table.to_owned(), error },
            Self::Other(error) => StoreError::Failed { store, error },
        }
    }
}

impl<E: ProvideErrorMetadata + Error + 'static, R: std::fmt::Debug + 'static> From<SdkError<E, R>>
    for Failure
{
    fn from(error: SdkError<E, R>) -> Self {
        match &error {
            SdkError::TimeoutError(_) => Self::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_io() => {
                Self::Unreachable(error_report(&error))
            }
            SdkError::ServiceError(said) => of_service(said.err()),
            _ => Self::Other(error_report(&error)),
        }
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn of_service(error: &impl ProvideErrorMetadata) -> Failure {
    let code = error.code().unwrap_or("an error without a code");
    let text = match error.message() {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    };
    match code {
        // A key or an index of another shape than asked for is no valid request.
        "ResourceNotFoundException" | "ValidationException" => Failure::Table(text),
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => Failure::Refused(text),
        _ => Failure::Other(text),
    }
}

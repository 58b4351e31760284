//! What comes of an attempt, and in the end of a job.

use std::time::Duration;

/// Why an attempt failed. The text is for people; it names no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The target answered, and not with a status of 200 to 299 (K3).
    #[error("answered with status {status}{}", if (300..400).contains(status) { ", redirects are not followed" } else { "" })]
    Status {
        /// The status.
        status: u16,
        /// For how long it asked to be left alone (RFC 9110 10.2.3).
        retry_after: Option<Duration>,
    },
    /// There was no answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Its addresses are private and the options forbid those.
    #[error("{0} has no public address: webhooks.denyPrivateTargets forbids the others")]
    Private(String),
    /// Nobody is there, or the connection broke.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// AWS Lambda refused, or the function failed.
    #[error("function failed: {0}")]
    Function(String),
    /// The app could not be looked up.
    #[error("app not looked up: {0}")]
    Credentials(String),
    /// There is no such app any more. Not tried again.
    #[error("no such app")]
    UnknownApp,
    /// No request can be made of the job. Not tried again.
    #[error("unusable: {0}")]
    Unusable(String),
}

impl Failure {
    /// Whether nothing can come of another attempt.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::UnknownApp | Self::Unusable(_))
    }

    /// Whether it says something about the target rather than about this one job.
    pub(crate) fn is_the_target_s(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Private(_) | Self::Status { retry_after: Some(_), .. }
        )
    }

    /// For how long the target asked to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// What came of a job in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target has it.
    Delivered,
    /// The target will not get it.
    GivenUp(Reason),
}

/// Why a job was given up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Too much was waiting already, for its target or in all.
    #[error("too much is waiting")]
    Full,
    /// The target failed for too long.
    #[error("failed for {}s; at last: {last}", after.as_secs())]
    Expired {
        /// For how long the job was tried, or waited for a target that failed.
        after: Duration,
        /// What came of the last attempt at the target.
        last: Failure,
    },
    /// It is of no use to try.
    #[error(transparent)]
    Hopeless(Failure),
}

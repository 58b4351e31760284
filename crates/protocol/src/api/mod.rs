//! The HTTP API's pure parts: signatures, request bodies, `info` attributes and response bodies.
//! It must not know routes, headers or any HTTP library.

pub mod auth;
pub mod info;
mod iso8601;
pub mod publish;
pub mod query;
pub mod response;

/// A refused request: the status and the text for [`response::error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong; SDKs show it as it is.
    pub message: String,
}

impl ApiError {
    /// 400 with this text.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }
}

impl From<auth::ApiAuthError> for ApiError {
    fn from(error: auth::ApiAuthError) -> Self {
        Self { status: 401, message: error.to_string() }
    }
}

//! Answers: status, headers and body.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use protocol::api::{ApiError, response};

/// An HTTP answer; its body is whole.
pub(crate) type Answer = Response<Full<Bytes>>;

/// The answer to a request that was refused.
#[derive(Debug)]
pub(super) struct ErrorAnswer(pub(super) Box<Answer>);

impl From<ApiError> for ErrorAnswer {
    fn from(error: ApiError) -> Self {
        ErrorAnswer::new(error.status, &error.message)
    }
}

impl ErrorAnswer {
    /// A status and what was wrong, in soketi's envelope.
    pub(super) fn new(status: u16, message: &str) -> Self {
        let mut body = Vec::new();
        response::error(&mut body, status, message);
        ErrorAnswer(Box::new(json(status, body)))
    }

    /// 429: `rate` is how many are allowed per second.
    pub(super) fn too_many(rate: u32, wait: Duration) -> Self {
        let message = format!("Rate limit of {rate} per second exceeded, try again later");
        let mut refused = ErrorAnswer::new(429, &message);
        let headers = refused.0.headers_mut();
        let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
        headers.insert(RETRY_AFTER, seconds.into());
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), rate.into());
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), 0.into());
        refused
    }

    /// 503: the shards are far behind.
    pub(super) fn overloaded() -> Self {
        Self::unavailable("The server is overloaded, nothing was published; try again later")
    }

    /// 503: soon it will be better.
    pub(super) fn unavailable(message: &str) -> Self {
        let mut refused = ErrorAnswer::new(503, message);
        refused.0.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        refused
    }
}

/// A JSON answer.
pub(super) fn json(status: u16, body: impl Into<Bytes>) -> Answer {
    with_type(status, "application/json", body.into())
}

/// A plain text answer.
pub(crate) fn text(status: u16, body: impl Into<Bytes>) -> Answer {
    with_type(status, "text/plain; charset=utf-8", body.into())
}

fn with_type(status: u16, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

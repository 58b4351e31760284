//! One attempt over HTTP/1.1, from a name to a status.
//! It must not know which app it is for, nor what happens after a failure.
//!
//! ```text
//!   request      a job as a request
//!   tls          whom to believe
//!   resolve      names to addresses, private ones left out if the options say so
//!   connect      the same for addresses in URLs; a connection takes only so long
//! ```

mod connect;
mod private;
pub(crate) mod request;
mod resolve;
mod tls;

use std::error::Error;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use failures::{error_chain, error_report};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use self::connect::Connector;
use self::resolve::NoPublicAddress;
use crate::{Failure, Settings, SettingsError};

/// What of a response's body is read, in bytes: enough for the connection to be used again.
pub(crate) const MAX_RESPONSE: usize = 64 << 10;

/// What a response's headers may take, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// For how long an idle connection is kept. Many servers close theirs after a minute.
const IDLE: Duration = Duration::from_secs(30);

/// For how long the rest of a response is waited for, once its status is known.
const DRAIN: Duration = Duration::from_secs(1);

/// Sends requests; connections are kept.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client<Connector, Full<Bytes>>,
    timeout: Duration,
}

impl Http {
    /// `deny_private` instead of what the settings say, which are about targets.
    pub(crate) fn new(settings: &Settings, deny_private: bool) -> Result<Self, SettingsError> {
        let tls = self::tls::config(settings.ca_path.as_deref())?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(settings.requests_per_partition)
            // PHP finds headers by their exact name (K1).
            .http1_title_case_headers(true)
            .http1_max_buf_size(MAX_HEAD)
            .build(Connector::new(settings, tls, deny_private));
        Ok(Http { client, timeout: settings.timeout })
    }

    /// Sends a webhook; success is a status of 200 to 299 (K3).
    pub(crate) async fn post(&self, request: Request<Full<Bytes>>) -> Result<(), Failure> {
        let end = Instant::now() + self.timeout;
        let answered = timeout_at(end, self.send(request)).await;
        let response = answered.map_err(|_| Failure::TimedOut(self.timeout))??;
        let status = response.status();
        let retry_after = retry_after(&response);
        // Whatever becomes of the body, the target has had its say.
        let _ = timeout_at(end.min(Instant::now() + DRAIN), read(response.into_body())).await;
        match status.is_success() {
            true => Ok(()),
            false => Err(Failure::Status { status: status.as_u16(), retry_after }),
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        self.client.request(request).await.map_err(|error| failure(&error))
    }
}

/// Reads a body; `None` if it is too long or breaks off.
pub(crate) async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.ok()?.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > MAX_RESPONSE {
            return None;
        }
    }
    Some(read.into())
}

/// What a busy target asks for.
fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    let header =
        response.headers().get(header::RETRY_AFTER).filter(|_| busy.contains(&response.status()));
    pause(header?.to_str().ok()?.trim(), SystemTime::now())
}

/// So many seconds, or until a time (RFC 9110, 10.2.3).
fn pause(asked: &str, now: SystemTime) -> Option<Duration> {
    match asked.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(asked).ok()?.duration_since(now).ok(),
    }
}

fn failure(error: &(dyn Error + 'static)) -> Failure {
    match error_chain(error).find_map(|error| error.downcast_ref::<NoPublicAddress>()) {
        Some(private) => Failure::Private(private.0.clone()),
        None => Failure::Unreachable(error_report(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_target_asks_for_seconds_or_names_a_time() {
        // RFC 9110's own example.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(pause("120", now), Some(Duration::from_secs(120)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:51:37 GMT", now), Some(Duration::from_secs(120)));
        for nothing in ["Sun, 06 Nov 1994 08:49:36 GMT", "soon", "-1", ""] {
            assert_eq!(pause(nothing, now), None, "{nothing}");
        }
    }
}

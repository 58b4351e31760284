//! What every call of the REST API goes through: its app, its signature, its budget.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use channels::rates::Spending;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use protocol::api::auth::{self, ApiAuthError, Request, SignedBody};
use protocol::api::publish::Limits;
use protocol::api::query;
use tokio::time::timeout;

use super::answer::{Answer, ErrorAnswer};
use super::spending;
use crate::apps::{App, AppCounters, By, Unavailable};
use crate::node::Node;

/// The most bytes, and the longest time, that a refused request's body is read.
const DISCARDED: usize = 64 * 1024;
const DISCARD_WITHIN: Duration = Duration::from_secs(2);

/// A call whose body has been read.
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    pub(super) app: &'a App,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

/// The app of an id, if it may be called.
pub(super) async fn app(node: &Node, id: &str) -> Result<Arc<App>, ErrorAnswer> {
    let app = node.apps.look_up(By::Id(id)).await;
    let app = app.map_err(|Unavailable| {
        ErrorAnswer::unavailable("The app cannot be looked up at the moment, try again later")
    })?;
    let app = app.ok_or_else(|| {
        ErrorAnswer::new(404, &format!("The app {} could not be found.", id.escape_default()))
    })?;
    if !app.settings.load().config.enabled {
        return Err(ErrorAnswer::new(403, "The app is not enabled."));
    }
    Ok(app)
}

/// Reads a request's body, up to the limit.
pub(super) async fn read_body(
    node: &Node,
    declared: u64,
    body: Incoming,
) -> Result<Bytes, ErrorAnswer> {
    let limit = node.config.http.max_request;
    let too_large = || {
        ErrorAnswer::new(
            413,
            &format!("The request is larger than the {limit} bytes that are allowed"),
        )
    };
    if declared > limit as u64 {
        return Err(too_large());
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let patience = node.config.http.keep_alive_timeout;
    match timeout(patience, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            Err(ErrorAnswer::new(400, &format!("The body could not be read: {error}")))
        }
        Err(_) => {
            Err(ErrorAnswer::new(408, &format!("The body did not arrive within {patience:?}")))
        }
    }
}

/// Reads a body that nobody wants, if it is small: then the connection can go on.
pub(super) async fn discard(body: Incoming) {
    if body.size_hint().lower() > DISCARDED as u64 {
        return;
    }
    let _ = timeout(DISCARD_WITHIN, Limited::new(body, DISCARDED).collect()).await;
}

/// Checks the signature (H11 to H16), which covers the body by its MD5: what nobody signed is not
/// received. `paths` are the path as it came, and without our prefix.
pub(super) fn authenticate<'a>(
    app: &App,
    head: &'a Parts,
    (path, alt_path): (&'a str, Option<&'a str>),
) -> Result<SignedBody<'a>, ErrorAnswer> {
    let settings = app.settings.load();
    let (method, query) = (head.method.as_str(), head.uri.query().unwrap_or_default());
    let request = Request { method, path, alt_path, query, body: &[] };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    auth::verify_head(&request, &settings.config.key, &settings.secret, now).map_err(unauthorized)
}

/// 401: what is wrong with the signature.
pub(super) fn unauthorized(error: ApiAuthError) -> ErrorAnswer {
    ErrorAnswer::new(401, &error.to_string())
}

impl<'a> Call<'a> {
    /// A parameter of the query, decoded.
    pub(super) fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        query::get(self.query, name)
    }

    /// The limits on what is published.
    pub(super) fn limits(&self) -> Limits {
        let settings = self.app.settings.load();
        let limits = &settings.config.limits;
        let or_any = |limit: Option<usize>| limit.unwrap_or(usize::MAX);
        Limits {
            max_channels: or_any(limits.max_event_channels),
            max_event_name: or_any(limits.max_event_name_length),
            max_payload_bytes: or_any(limits.max_event_payload),
            max_batch: or_any(limits.max_event_batch),
            max_channel_name: or_any(limits.max_channel_name_length),
        }
    }

    /// Takes so many from one of the app's budgets.
    pub(super) async fn spend(&self, on: Spending, count: usize) -> Result<(), ErrorAnswer> {
        let Some(rate) = self.app.rate(on) else { return Ok(()) };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let spent = spending::spend(self.node, self.app, on, count, rate).await;
        spent.map_err(|wait| ErrorAnswer::too_many(rate, wait))
    }

    /// Counts a call that was signed well, and its answer.
    pub(super) fn counted(
        &self,
        answer: Result<Answer, ErrorAnswer>,
    ) -> Result<Answer, ErrorAnswer> {
        let counters = &self.app.counters;
        let sent = match &answer {
            Ok(answer) => answer.body().size_hint().exact().unwrap_or(0),
            Err(ErrorAnswer(answer)) => answer.body().size_hint().exact().unwrap_or(0),
        };
        AppCounters::add(&counters.http_calls_received, 1);
        AppCounters::add(&counters.http_received_bytes, self.body.len());
        AppCounters::add(&counters.http_transmitted_bytes, sent as usize);
        answer
    }
}

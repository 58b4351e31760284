//! Which page a request is for.

use std::borrow::Cow;
use std::rc::Rc;

use hyper::body::{Body, Incoming};
use hyper::header::UPGRADE;
use hyper::{Method, Request};
use percent_encoding::percent_decode_str;

use super::answer::{Answer, ErrorAnswer, text};
use super::api::{self, Call};
use super::connection::Connection;
use super::{channels, health, publish, upgrade, users};

/// Why there is neither a WebSocket nor an API here.
const A_WORKER: &str =
    "This process is a worker (mode = worker): it sends webhooks and serves no clients";

/// Answers one request.
pub(super) async fn route(connection: &Rc<Connection>, request: Request<Incoming>) -> Answer {
    answer(connection, request).await.unwrap_or_else(|ErrorAnswer(answer)| *answer)
}

async fn answer(
    connection: &Rc<Connection>,
    request: Request<Incoming>,
) -> Result<Answer, ErrorAnswer> {
    let node = &connection.front.node;
    let full_path = request.uri().path().to_owned();
    if request.method() == Method::OPTIONS {
        return Ok(text(204, ""));
    }
    let path =
        behind_prefix(&node.config.path_prefix, &full_path).ok_or_else(|| not_found(&full_path))?;
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    if matches!(segments[..], ["app" | "apps", ..]) && !node.serves_clients() {
        return Err(ErrorAnswer::new(404, A_WORKER));
    }
    if let Some(key) = socket_key(path)
        && request.headers().contains_key(UPGRADE)
    {
        return upgrade::upgrade(connection, &request, key);
    }
    let get = request.method() == Method::GET || request.method() == Method::HEAD;
    match segments[..] {
        [""] if get => Ok(text(200, "OK")),
        ["ready"] if get => Ok(health::ready(node)),
        ["up"] if get => Ok(health::up()),
        ["accept-traffic"] if get => Ok(health::accept_traffic(node)),
        ["app", ..] => Err(upgrade::required()),
        ["apps", id, ref page @ ..] => {
            let id = decoded(id)?;
            let page: Vec<Cow<'_, str>> =
                page.iter().map(|s| decoded(s)).collect::<Result<_, _>>()?;
            let page: Vec<&str> = page.iter().map(|segment| &**segment).collect();
            // A signature may cover the path without our prefix (H15).
            let alternative = (path.len() < full_path.len()).then_some(path);
            api_page(connection, &id, &page, (&full_path, alternative), request).await
        }
        _ => Err(not_found(&full_path)),
    }
}

/// A path without `prefix`, if it has it. A prefix ends where a segment does: `/ws` is not the
/// beginning of `/wsapps`.
pub(super) fn behind_prefix<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    let path = path.strip_prefix(prefix)?;
    (path.is_empty() || path.starts_with('/')).then_some(path)
}

/// The key in `/app/{key}`, none in a bare `/app`; outer none for any other path.
pub(super) fn socket_key(path: &str) -> Option<Option<&str>> {
    let mut segments = path.strip_prefix('/')?.split('/');
    (segments.next() == Some("app")).then(|| segments.next())
}

async fn api_page(
    connection: &Rc<Connection>,
    id: &str,
    page: &[&str],
    paths: (&str, Option<&str>),
    request: Request<Incoming>,
) -> Result<Answer, ErrorAnswer> {
    let node = &connection.front.node;
    if !node.readiness.has_joined() {
        return Err(ErrorAnswer::unavailable(health::NOT_JOINED));
    }
    let allowed = match page {
        ["events" | "batch_events"] => "POST",
        ["channels", _, "events"] | ["users", _, "terminate_connections"] => "POST",
        ["channels" | "connections"] | ["channels", _] => "GET",
        ["channels", _, "users" | "stats"] => "GET",
        _ => return Err(not_found(paths.0)),
    };
    if request.method().as_str() != allowed {
        let message = format!("{} is not allowed here, use {allowed}", request.method());
        return Err(ErrorAnswer::new(405, &message));
    }
    let declared = request.body().size_hint().lower();
    let (head, body) = request.into_parts();
    let caller = api::app(node, id).await.and_then(|app| {
        let signed = api::authenticate(&app, &head, paths)?;
        Ok((app, signed))
    });
    let (app, signed) = match caller {
        Ok(caller) => caller,
        Err(refused) => {
            api::discard(body).await;
            return Err(refused);
        }
    };
    let body = api::read_body(node, declared, body).await?;
    signed.check(&body).map_err(api::unauthorized)?;
    let query = head.uri.query().unwrap_or_default();
    let call = Call { node, app: &app, query, body: &body };
    let answer = match page {
        ["events"] => publish::event(&call).await,
        ["batch_events"] => publish::batch(&call).await,
        ["channels", channel, "events"] => publish::channel_event(&call, channel).await,
        ["users", user, "terminate_connections"] => users::terminate(&call, user).await,
        ["channels"] => channels::list(&call).await,
        ["channels", channel] => channels::one(&call, channel).await,
        ["channels", channel, "users"] => channels::users(&call, channel).await,
        ["channels", channel, "stats"] => channels::stats(&call, channel).await,
        _ => channels::connections(&call).await,
    };
    call.counted(answer)
}

fn decoded(segment: &str) -> Result<Cow<'_, str>, ErrorAnswer> {
    percent_decode_str(segment).decode_utf8().map_err(|_| not_found(segment))
}

fn not_found(path: &str) -> ErrorAnswer {
    ErrorAnswer::new(404, &format!("There is nothing at {}", path.escape_default()))
}

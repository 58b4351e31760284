//! Handshakes that are read without hyper, for [`crate::fuzzing`].

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf, join, sink};
use tokio::runtime::{Builder, Runtime};

use super::connection::http1;
use super::route;
use super::upgrade::{Headers, MAX_HEADERS, accept_key, read_head};

/// Reads the first bytes of a socket. What is taken for a handshake without hyper is one for hyper,
/// too: of the same key, query, origin and client, with the same answer, and the same bytes are
/// left for the WebSocket.
pub fn handshake_head(bytes: &[u8]) {
    if let Some(fast) = without_hyper(bytes) {
        assert_eq!(with_hyper(bytes), Some(fast));
    }
}

/// All that is looked at in a handshake.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    key: Option<String>,
    query: String,
    origin: Option<Vec<u8>>,
    forwarded: Vec<Vec<u8>>,
    accept: [u8; 28],
    /// What follows the handshake.
    early: Vec<u8>,
}

impl Seen {
    fn new(
        (key, query): (Option<&str>, &str),
        headers: &(impl Headers + ?Sized),
        accept: [u8; 28],
    ) -> Self {
        Seen {
            key: key.map(str::to_owned),
            query: query.to_owned(),
            origin: headers.all("origin").next().map(<[u8]>::to_vec),
            forwarded: headers.all("x-forwarded-for").map(<[u8]>::to_vec).collect(),
            accept,
            early: Vec::new(),
        }
    }
}

fn without_hyper(bytes: &[u8]) -> Option<Seen> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = read_head(bytes, &mut request, "")?;
    let seen = Seen::new((head.key, head.query), &*request.headers, head.accept);
    Some(Seen { early: bytes[head.length..].to_vec(), ..seen })
}

fn with_hyper(bytes: &[u8]) -> Option<Seen> {
    thread_local! {
        static RUNTIME: Runtime =
            Builder::new_current_thread().enable_time().build().expect("a runtime with timers");
    }
    RUNTIME.with(|runtime| runtime.block_on(serve(bytes)))
}

async fn serve(bytes: &[u8]) -> Option<Seen> {
    let seen = RefCell::new(None);
    let service = service_fn(|request: Request<Incoming>| {
        let found = judge(&request);
        let status = match found {
            Some(_) => StatusCode::SWITCHING_PROTOCOLS,
            None => StatusCode::BAD_REQUEST,
        };
        seen.replace(found);
        let mut answer = Response::new(Empty::<Bytes>::new());
        *answer.status_mut() = status;
        ready(Ok::<_, Infallible>(answer))
    });
    let stream = TokioIo::new(join(bytes.chain(NothingYet), sink()));
    let mut http = http1(Duration::from_secs(5)).serve_connection(stream, service);
    // Nothing has to be waited for: whatever can happen happens at once.
    let polled = poll_fn(|context| Poll::Ready(http.poll_without_shutdown(context))).await;
    let Poll::Ready(Ok(())) = polled else { return None };
    let parts = http.into_parts();
    let (unread, _) = parts.io.into_inner().into_inner().0.into_inner();
    let seen = seen.take()?;
    Some(Seen { early: [&parts.read_buf, unread].concat(), ..seen })
}

/// A client that waits for an answer.
struct NothingYet;

impl AsyncRead for NothingYet {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// As the routes have it.
fn judge(request: &Request<Incoming>) -> Option<Seen> {
    let (headers, uri) = (request.headers(), request.uri());
    let key = route::socket_key(route::behind_prefix("", uri.path())?)?;
    let accept = accept_key(request.method().as_str(), headers).ok()?;
    let asked = (key, uri.query().unwrap_or_default());
    headers.contains_key(UPGRADE).then(|| Seen::new(asked, headers, accept))
}

//! The metrics' own port: `/metrics`, `/metrics?json=1`, `/cluster`, `/usage`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioIo, TokioTimer};
use protocol::api::query;
use serde_json::json;
use tokio::net::TcpListener;

use super::{cluster, collect, exposition};
use crate::http::{Answer, memory, text};
use crate::node::Node;
use crate::peers::Membership;

/// A scraper may be this slow.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves until the process ends: what happens while the node drains is worth seeing too.
pub(crate) async fn serve(
    node: Arc<Node>,
    membership: Option<Arc<Membership>>,
    listener: TcpListener,
) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // There is no descriptor: the reserve of the main port will free one.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let shown = (node.clone(), membership.clone());
        let service = service_fn(move |request| {
            let (node, membership) = shown.clone();
            async move { Ok::<_, Infallible>(page(&node, membership.as_deref(), request).await) }
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(WRITE_TIMEOUT)
                .serve_connection(TokioIo::new(socket), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the metrics ended");
            }
        });
    }
}

async fn page(node: &Node, membership: Option<&Membership>, request: Request<Incoming>) -> Answer {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return text(405, "use GET\n");
    }
    let prefix = &node.config.metrics.prefix;
    let as_json = request.uri().query().is_some_and(|query| query::get(query, "json").is_some());
    match request.uri().path() {
        "/metrics" if as_json => {
            let metrics = collect::collect(node, membership).await;
            typed("application/json", exposition::as_json(prefix, &metrics).to_string())
        }
        "/metrics" => {
            let metrics = collect::collect(node, membership).await;
            typed("text/plain; version=0.0.4; charset=utf-8", exposition::text(prefix, &metrics))
        }
        "/cluster" => {
            let page = cluster::page(node, membership).await;
            typed("application/json", format!("{page:#}\n"))
        }
        "/usage" => match memory() {
            Some(memory) => {
                let usage = json!({"memory": {
                    "free": memory.total.saturating_sub(memory.used),
                    "used": memory.used,
                    "total": memory.total,
                    "percent": memory.percent(),
                }});
                typed("application/json", usage.to_string())
            }
            None => text(500, "the system does not say how much memory there is\n"),
        },
        "/" | "/ready" => text(200, "OK"),
        path => {
            text(404, format!("there is nothing at {path}, try /metrics, /cluster or /usage\n"))
        }
    }
}

fn typed(content_type: &'static str, body: String) -> Answer {
    let mut answer = text(200, body);
    let value = hyper::header::HeaderValue::from_static(content_type);
    answer.headers_mut().insert(hyper::header::CONTENT_TYPE, value);
    answer
}

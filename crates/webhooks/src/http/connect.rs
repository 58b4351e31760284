//! Connections to targets, encrypted or not.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use tower_service::Service;

use super::private::is_private;
use super::resolve::{NoPublicAddress, Resolver};
use crate::Settings;

type Inner = HttpsConnector<HttpConnector<Resolver>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects. The client finishes a connection that nobody waits for any more, so it ends by itself.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    inner: Inner,
    timeout: Duration,
    deny_private: bool,
}

impl Connector {
    pub(super) fn new(settings: &Settings, tls: ClientConfig, deny_private: bool) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(deny_private));
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        tcp.set_nodelay(true);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let inner = https.enable_http1().wrap_connector(tcp);
        Connector { inner, timeout: settings.timeout, deny_private }
    }
}

impl Service<Uri> for Connector {
    type Response = <Inner as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // An address is not looked up, so the resolver does not see it.
        if let Some(host) = uri.host().filter(|_| self.deny_private)
            && literal(host).is_some_and(is_private)
        {
            let refused = NoPublicAddress(host.to_owned());
            return Box::pin(async { Err(refused.into()) });
        }
        let connection = tokio::time::timeout(self.timeout, self.inner.call(uri));
        Box::pin(async { connection.await? })
    }
}

/// The address that stands in place of a name.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

//! Requests of the AWS client over our own connections, so that the same authorities are believed
//! and the same addresses are refused as for URLs.

use aws_sdk_lambda::config::RuntimeComponents;
use aws_sdk_lambda::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use http_body_util::Full;

use crate::Failure;
use crate::http::{Http, read};

/// What the AWS client sends through.
#[derive(Clone, Debug)]
pub(super) struct LambdaTransport(pub(super) Http);

impl HttpClient for LambdaTransport {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for LambdaTransport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.0.clone();
        HttpConnectorFuture::new(async move { call(&http, request).await })
    }
}

async fn call(http: &Http, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let request = request.map(|body| {
        let bytes = body.bytes().map(Bytes::copy_from_slice);
        Full::new(bytes.unwrap_or_default())
    });
    let unreachable = |failure: Failure| ConnectorError::io(failure.into());
    let (head, body) = http.send(request).await.map_err(unreachable)?.into_parts();
    // What a function returns is of no interest, however long it is.
    let body = SdkBody::from(read(body).await.unwrap_or_default());
    let response = http::Response::from_parts(head, body);
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

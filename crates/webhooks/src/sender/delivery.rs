//! One attempt: who signs, then to whom and how.

use std::sync::Arc;
use std::time::Duration;

use config::WebhookTarget;
use tokio::time::timeout;

use super::Transport;
use crate::http::{Http, request};
#[cfg(feature = "lambda")]
use crate::lambda::{Clients, Function};
use crate::{BoxFuture, Credential, Credentials, Failure, Job, Settings, SettingsError};

/// Delivers over HTTP and to functions.
pub(super) struct HttpDelivery {
    credentials: Arc<dyn Credentials>,
    timeout: Duration,
    http: Http,
    #[cfg(feature = "lambda")]
    functions: Clients,
}

impl HttpDelivery {
    pub(super) fn new(
        settings: &Settings,
        credentials: Arc<dyn Credentials>,
    ) -> Result<Self, SettingsError> {
        let http = Http::new(settings, settings.deny_private_targets)?;
        Ok(HttpDelivery {
            credentials,
            timeout: settings.timeout,
            #[cfg(feature = "lambda")]
            functions: Clients::new(settings, http.clone())?,
            http,
        })
    }

    async fn deliver(&self, job: &Job) -> Result<(), Failure> {
        let credential = self.credential(&job.to.app).await?;
        match &job.to.target {
            WebhookTarget::Url(url) => {
                self.http.post(request::request(job, url, &credential)?).await
            }
            #[cfg(feature = "lambda")]
            WebhookTarget::Lambda { function, asynchronous, region, client_options } => {
                let function = Function {
                    name: function,
                    asynchronous: *asynchronous,
                    region: region.as_deref(),
                    options: client_options,
                };
                self.functions.invoke(function, job, &credential).await
            }
            #[cfg(not(feature = "lambda"))]
            WebhookTarget::Lambda { .. } => {
                Err(Failure::Unusable("this build has no `lambda`".into()))
            }
        }
    }

    async fn credential(&self, app: &str) -> Result<Credential, Failure> {
        match timeout(self.timeout, self.credentials.of(app)).await {
            Ok(Ok(Some(credential))) => Ok(credential),
            Ok(Ok(None)) => Err(Failure::UnknownApp),
            Ok(Err(unavailable)) => Err(Failure::Credentials(unavailable.0)),
            Err(_) => Err(Failure::Credentials(format!("no answer within {:?}", self.timeout))),
        }
    }
}

impl Transport for HttpDelivery {
    fn attempt<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.deliver(job))
    }
}

//! One attempt, which is over whatever becomes of it: who signs, then to whom and how.

use std::sync::Arc;
use std::time::Duration;

use config::WebhookTarget;
use tokio::time::{Instant, timeout};

use super::{SenderShared, SenderState, Transport};
use crate::http::{Http, request};
#[cfg(feature = "lambda")]
use crate::lambda::{Clients, Function};
use crate::partitions::AttemptId;
use crate::{BoxFuture, Credential, Credentials, Failure, Job, Settings, SettingsError};

/// An attempt under way. If it is dropped, it has failed.
pub(super) struct Attempt {
    shared: Arc<SenderShared>,
    id: Option<AttemptId>,
    job: Arc<Job>,
    since: Instant,
}

impl Attempt {
    pub(super) fn new(shared: Arc<SenderShared>, id: AttemptId, job: Arc<Job>) -> Self {
        Attempt { shared, id: Some(id), job, since: Instant::now() }
    }

    pub(super) async fn make(mut self) {
        let result = self.shared.transport.attempt(&self.job).await;
        self.end(result);
    }

    fn end(&mut self, result: Result<(), Failure>) {
        let Some(id) = self.id.take() else { return };
        // Without randomness the pauses are only less even.
        let random = getrandom::u32().unwrap_or_default();
        let (now, took) = (self.shared.now(), self.since.elapsed());
        let SenderState { partitions, out, counters, .. } = &mut *self.shared.state.lock();
        counters.of(&self.job.to).attempted(took, &result);
        partitions.attempted(now, &id, result, random, out);
        self.shared.wake.notify_one();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.end(Err(Failure::Unreachable("the attempt broke off".into())));
    }
}

/// Delivers over HTTP and to functions.
pub(super) struct TargetTransport {
    credentials: Arc<dyn Credentials>,
    timeout: Duration,
    http: Http,
    #[cfg(feature = "lambda")]
    functions: Clients,
}

impl TargetTransport {
    pub(super) fn new(
        settings: &Settings,
        credentials: Arc<dyn Credentials>,
    ) -> Result<Self, SettingsError> {
        let http = Http::new(settings, settings.deny_private_targets)?;
        Ok(TargetTransport {
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

impl Transport for TargetTransport {
    fn attempt<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.deliver(job))
    }
}

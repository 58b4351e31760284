//! What signs an app's webhooks, and how it is asked for. It must not know who knows it.

use std::pin::Pin;
use std::sync::Arc;

use protocol::auth::Secret;

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What signs an app's webhooks.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The app's key.
    pub key: Arc<str>,
    /// The app's secret.
    pub secret: Secret,
}

/// Apps cannot be looked up now; says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// Knows what signs an app's webhooks.
pub trait Credentials: Send + Sync + 'static {
    /// What signs the webhooks of the app with this id now; `None` if there is no such app. Asked
    /// before every attempt.
    fn of<'a>(&'a self, app: &'a str) -> BoxFuture<'a, Result<Option<Credential>, Unavailable>>;
}

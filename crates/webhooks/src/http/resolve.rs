//! From names to addresses, through the system.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::Semaphore;
use tower_service::Service;

use super::private::is_private;

/// Names that are looked up at a time: the system holds a thread for each, for as long as it likes.
const LOOKUPS: usize = 16;

/// A host all of whose addresses are private, where that is forbidden.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no public address")]
pub(super) struct NoPublicAddress(pub(super) String);

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// The system does not find it.
    #[error("{name}: {error}")]
    System { name: String, error: io::Error },
    /// It leads nowhere that is allowed.
    #[error("{0}")]
    Private(#[from] NoPublicAddress),
}

/// Looks names up.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    deny_private: bool,
    lookups: Arc<Semaphore>,
}

impl Resolver {
    pub(super) fn new(deny_private: bool) -> Self {
        Resolver { deny_private, lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Service<Name> for Resolver {
    type Response = IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ResolveError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Resolver { deny_private, lookups } = self.clone();
        Box::pin(async move {
            let failed = |error| ResolveError::System { name: name.to_string(), error };
            let permit = lookups.acquire_owned().await.map_err(|e| failed(io::Error::other(e)))?;
            let asked = name.to_string();
            let lookup = tokio::task::spawn_blocking(move || {
                // Held by the thread, which ends when it ends, whoever still waits for it.
                let _permit = permit;
                (asked.as_str(), 0).to_socket_addrs()
            });
            let found = lookup.await.map_err(|error| failed(io::Error::other(error)))?;
            let mut addresses: Vec<_> = found.map_err(failed)?.collect();
            if deny_private {
                addresses.retain(|address| !is_private(address.ip()));
                if addresses.is_empty() {
                    return Err(NoPublicAddress(name.to_string()).into());
                }
            }
            Ok(addresses.into_iter())
        })
    }
}

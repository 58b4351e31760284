//! A question ends, whatever a store does: within a time, and without a panic of a library that a
//! hostile server has led astray.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::StoreError;

/// How long a question may take as a whole, from waiting for a connection to the last row.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What the future says, or that it did not end in time or ended in a panic. In both cases it is
/// dropped, and everything that it had in hand with it.
pub(crate) async fn within<T>(
    store: &'static str,
    limit: Duration,
    future: impl Future<Output = T>,
) -> Result<T, StoreError> {
    let caught = async {
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(answer)) => Poll::Ready(Some(answer)),
                Err(_) => Poll::Ready(None),
            }
        })
        .await
    };
    match tokio::time::timeout(limit, caught).await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(StoreError::Failed {
            store,
            error: "the client library panicked over what the server sent".to_owned(),
        }),
        Err(_) => Err(StoreError::TimedOut { store, after: limit }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_ends_in_an_answer_an_error_or_in_time() {
        assert_eq!(within("s", LIMIT, async { 7 }).await.ok(), Some(7));
        let never = within("s", LIMIT, std::future::pending::<()>()).await;
        assert!(matches!(never, Err(StoreError::TimedOut { .. })), "{never:?}");
        let panics = within("s", LIMIT, async {
            tokio::task::yield_now().await;
            panic!("a hostile server's doing");
        });
        let panicked: Result<(), _> = panics.await;
        assert!(matches!(panicked, Err(StoreError::Failed { .. })), "{panicked:?}");
    }
}

//! The first of several servers that answers.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::ConnectError;

/// How long each attempt has before the next one begins beside it, so that a server that hangs
/// costs no more than this.
const HEAD_START: Duration = Duration::from_millis(250);

/// What the first attempt that succeeds brings; the others are given up.
pub(crate) async fn first<T, F>(
    what: impl FnOnce() -> String,
    attempts: impl IntoIterator<Item = F>,
) -> Result<T, ConnectError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, ConnectError>> + Send + 'static,
{
    let mut causes = Vec::new();
    let mut running = JoinSet::new();
    let mut attempts = attempts.into_iter();
    loop {
        let next = attempts.next();
        let exhausted = next.is_none();
        if let Some(attempt) = next {
            running.spawn(attempt);
        }
        let ended = tokio::select! {
            Some(ended) = running.join_next() => ended,
            () = sleep(HEAD_START), if !exhausted => continue,
            else => return Err(ConnectError::Nobody { what: what(), causes }),
        };
        match ended {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => causes.push(error),
            // A panic has been reported by its hook, and means that this server has not answered.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    async fn attempt(takes: u64, result: Option<u64>) -> Result<u64, ConnectError> {
        sleep(Duration::from_millis(takes)).await;
        result.ok_or_else(|| ConnectError::NoMaster(Address::new("host", takes as u16)))
    }

    #[tokio::test]
    async fn one_that_hangs_does_not_hold_up_the_next() {
        let attempts = [attempt(60_000, None), attempt(1, Some(2)), attempt(60_000, Some(3))];
        assert_eq!(first(|| "none".into(), attempts).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn when_nobody_answers_every_cause_is_told() {
        let told = first(|| "nobody knows".into(), [attempt(1, None), attempt(2, None)]).await;
        let told = told.unwrap_err().to_string();
        let expected = "nobody knows: Redis host:1 is no master now; Redis host:2 is no master now";
        assert_eq!(told, expected);
        let none: [std::future::Ready<Result<(), _>>; 0] = [];
        assert!(first(|| "nobody".into(), none).await.is_err());
    }
}

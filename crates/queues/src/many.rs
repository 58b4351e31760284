//! Several things at a time, but not too many.

use tokio::task::JoinSet;

/// What comes of each of them, in any order; at most `at_once` run at a time. Dropped, it ends them.
/// One that panics is left out.
pub(crate) async fn many<T, F>(at_once: usize, all: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (mut running, mut ended) = (JoinSet::new(), Vec::new());
    for one in all {
        if running.len() >= at_once {
            ended.extend(running.join_next().await.and_then(Result::ok));
        }
        running.spawn(one);
    }
    while let Some(one) = running.join_next().await {
        ended.extend(one.ok());
    }
    ended
}

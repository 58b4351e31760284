//! Log lines that could come as often as other nodes, or strangers, like.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// For how long the same line is not written again.
const PAUSE: Duration = Duration::from_secs(60);
/// How many different lines are written in that time.
const LINES: usize = 50;

/// Says which lines may be written: each once a minute, and not too many different ones.
#[derive(Default)]
pub(crate) struct Rarely(RefCell<HashMap<String, Instant>>);

impl Rarely {
    /// Whether it is time for this line; then it is not for a while.
    pub(crate) fn now(&self, line: &str) -> bool {
        let mut written = self.0.borrow_mut();
        written.retain(|_, at| at.elapsed() < PAUSE);
        let now = written.len() < LINES && !written.contains_key(line);
        if now {
            written.insert(line.to_owned(), Instant::now());
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_line_once_a_minute() {
        let rarely = Rarely::default();
        assert!(rarely.now("one") && rarely.now("two"));
        assert!(!rarely.now("one"));
        tokio::time::advance(PAUSE).await;
        assert!(rarely.now("one"));
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_cannot_flood_the_log_with_names() {
        let rarely = Rarely::default();
        assert_eq!((0..1000).filter(|n| rarely.now(&n.to_string())).count(), LINES);
    }
}

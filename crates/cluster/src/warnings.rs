//! Log lines that could come as often as other nodes, or strangers, like.

use std::time::Duration;

use failures::LogThrottles;

/// How often the same line is written, and how many different ones in that time: strangers can say
/// what is in them.
const EVERY: Duration = Duration::from_secs(60);
const DIFFERENT: usize = 50;

/// Writes each line seldom, and not too many of them.
pub(crate) struct Warnings(LogThrottles<String>);

impl Default for Warnings {
    fn default() -> Self {
        Warnings(LogThrottles::new(EVERY, DIFFERENT))
    }
}

impl Warnings {
    pub(crate) fn warn(&self, line: String) {
        if self.0.may_log(line.clone()).is_some() {
            tracing::warn!("{line}");
        }
    }
}

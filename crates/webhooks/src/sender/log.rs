//! The log of webhooks: every line of it, at a bearable rate.

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use crate::{Destination, Failure, Job, Now, Outcome};

/// Between two lines of a kind about the same target of the same app.
const PAUSE: Duration = Duration::from_secs(10);

/// Pairs of app and target that are remembered; beyond that all are forgotten.
const MAX: usize = 1000;

/// What is said about webhooks.
#[derive(Debug, Default)]
pub(super) struct Log {
    given_up: Rarely,
    rests: Rarely,
    recovered: Rarely,
}

impl Log {
    /// A job is no longer held.
    pub(super) fn finished(&mut self, now: Now, job: &Job, outcome: &Outcome) {
        let Outcome::GivenUp(reason) = outcome else { return };
        if let Some(unsaid) = self.given_up.may_say(now, &job.to) {
            let (app, target, events) = (&job.to.app, &job.to.label, job.events);
            tracing::error!(%app, %target, events, unsaid, "webhook given up: {reason}");
        }
    }

    /// A lane has begun to rest.
    pub(super) fn rests(&mut self, now: Now, to: &Destination, failure: &Failure) {
        if let Some(unsaid) = self.rests.may_say(now, to) {
            let (app, target) = (&to.app, &to.label);
            tracing::warn!(%app, %target, unsaid, "webhooks wait, their target fails: {failure}");
        }
    }

    /// A lane that rested has seen its target again.
    pub(super) fn recovered(&mut self, now: Now, to: &Destination) {
        if let Some(unsaid) = self.recovered.may_say(now, to) {
            let (app, target) = (&to.app, &to.label);
            tracing::info!(%app, %target, unsaid, "webhooks go on, their target is back");
        }
    }
}

/// When something was said last about whom, and how often it was not since.
#[derive(Debug, Default)]
struct Rarely(HashMap<(Arc<str>, Arc<str>), (Now, u64)>);

impl Rarely {
    /// Whether something may be said about a target now, and how often it was not since the last
    /// time.
    fn may_say(&mut self, now: Now, to: &Destination) -> Option<u64> {
        let key = (to.app.clone(), to.label.clone());
        match self.0.get_mut(&key) {
            Some((last, unsaid)) if now < *last + PAUSE => {
                *unsaid += 1;
                None
            }
            Some((last, unsaid)) => {
                *last = now;
                Some(std::mem::take(unsaid))
            }
            None => {
                if self.0.len() >= MAX {
                    self.0.clear();
                }
                self.0.insert(key, (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_counted() {
        let to = Destination::of_url("app", "http://a".into());
        let other = Destination::of_url("other", "http://a".into());
        let mut log = Rarely::default();
        let at = Duration::from_secs;
        assert_eq!(log.may_say(at(1), &to), Some(0));
        assert_eq!(log.may_say(at(1), &other), Some(0));
        assert_eq!(log.may_say(at(2), &to), None);
        assert_eq!(log.may_say(at(10), &to), None);
        assert_eq!(log.may_say(at(11), &to), Some(2));
    }
}

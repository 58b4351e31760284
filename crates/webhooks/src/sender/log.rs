//! The log of webhooks: every line of it, at a bearable rate.

use std::sync::Arc;
use std::time::Duration;

use failures::LogThrottles;

use crate::{Destination, Failure, Job, Outcome};

/// Between two lines of a kind about the same target of the same app.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// How many targets there are lines about in that time.
const MAX_TARGETS: usize = 1000;

/// An app and its target.
type TargetName = (Arc<str>, Arc<str>);

/// What is said about webhooks.
#[derive(Debug)]
pub(super) struct Log {
    given_up: LogThrottles<TargetName>,
    rests: LogThrottles<TargetName>,
    recovered: LogThrottles<TargetName>,
}

impl Default for Log {
    fn default() -> Self {
        let lines = || LogThrottles::new(LINE_PAUSE, MAX_TARGETS);
        Log { given_up: lines(), rests: lines(), recovered: lines() }
    }
}

impl Log {
    /// A job is no longer held.
    pub(super) fn finished(&self, job: &Job, outcome: &Outcome) {
        let Outcome::GivenUp(reason) = outcome else { return };
        if let Some(unsaid) = self.given_up.may_log(target(&job.to)) {
            let (app, target, events) = (&job.to.app, &job.to.label, job.events);
            tracing::error!(%app, %target, events, unsaid, "webhook given up: {reason}");
        }
    }

    /// A partition has begun to rest.
    pub(super) fn rests(&self, to: &Destination, failure: &Failure) {
        if let Some(unsaid) = self.rests.may_log(target(to)) {
            let (app, target) = (&to.app, &to.label);
            tracing::warn!(%app, %target, unsaid, "webhooks wait, their target fails: {failure}");
        }
    }

    /// A partition that rested has seen its target again.
    pub(super) fn recovered(&self, to: &Destination) {
        if let Some(unsaid) = self.recovered.may_log(target(to)) {
            let (app, target) = (&to.app, &to.label);
            tracing::info!(%app, %target, unsaid, "webhooks go on, their target is back");
        }
    }
}

fn target(to: &Destination) -> TargetName {
    (to.app.clone(), to.label.clone())
}

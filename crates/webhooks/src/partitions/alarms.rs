//! Which partition is to be looked at next, and when.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Now;

/// At most one alarm per partition; the partition keeps its time.
#[derive(Debug, Default)]
pub(super) struct Alarms(BTreeSet<(Now, Arc<str>)>);

impl Alarms {
    /// Moves a partition's alarm from `set`, which becomes `to`.
    pub(super) fn set(&mut self, partition: &Arc<str>, set: &mut Option<Now>, to: Option<Now>) {
        if *set == to {
            return;
        }
        if let Some(old) = set.take() {
            self.0.remove(&(old, partition.clone()));
        }
        if let Some(new) = to {
            self.0.insert((new, partition.clone()));
        }
        *set = to;
    }

    /// When the first one goes off.
    pub(super) fn first(&self) -> Option<Now> {
        self.0.first().map(|(at, _)| *at)
    }

    /// A partition whose alarm has gone off.
    pub(super) fn due(&self, now: Now) -> Option<Arc<str>> {
        self.0.first().filter(|(at, _)| *at <= now).map(|(_, partition)| partition.clone())
    }
}

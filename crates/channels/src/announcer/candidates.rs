//! The nodes that may announce, and which of them announces a channel.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::election::{self, ElectionKey};

use crate::announcer::{NodeName, Subject};

/// The nodes that are ready, each with the time since when.
#[derive(Debug, Default)]
pub(crate) struct Candidates(BTreeMap<NodeName, Duration>);

impl Candidates {
    /// A node has been ready since a time, or even longer if that is known already.
    pub(crate) fn join(&mut self, node: NodeName, since: Duration) {
        let known = self.0.entry(node).or_insert(since);
        *known = since.min(*known);
    }

    pub(crate) fn leave(&mut self, node: NodeName) {
        self.0.remove(&node);
    }

    /// Whether nobody but this node is ready.
    pub(crate) fn has_only(&self, node: NodeName) -> bool {
        self.0.keys().all(|ready| *ready == node)
    }

    /// Who announces what happened to a subject at a time. Best of all who was ready a whole grace
    /// before: only such a node knows every departure that it may be the return from. Otherwise
    /// who was ready by then, for others cannot be sure to have seen it; if all of those are gone,
    /// anybody.
    pub(crate) fn announcer_of(
        &self,
        subject: &Subject,
        at: Duration,
        grace: Duration,
    ) -> Option<NodeName> {
        let key = ElectionKey::Channel { app: &subject.app, channel: &subject.channel };
        let winner_of = |is_one: &dyn Fn(Duration) -> bool| {
            let ones = self.0.iter().filter(|(_, since)| is_one(**since)).map(|(node, _)| *node);
            election::winner(key, ones)
        };
        winner_of(&|since| since + grace <= at)
            .or_else(|| winner_of(&|since| since <= at))
            .or_else(|| winner_of(&|_| true))
    }
}

//! Says in the log what this node's streams lose: when that begins, and how much it was.

use cluster::Losses;

/// What was said so far.
#[derive(Default)]
pub(super) struct ReportedLosses {
    streams: u64,
    events: u64,
}

impl ReportedLosses {
    /// To be called now and then: says when a peer could not be reached for too long.
    pub(super) fn tick(&mut self, losses: &Losses) {
        let streams = losses.broken_streams();
        if streams > self.streams {
            tracing::error!(
                nodes = streams - self.streams,
                "what waits for other nodes is too much or too old, see cluster.replayInMb and \
                 cluster.replayTime: it is dropped, and events for them are lost from now on"
            );
        }
        self.streams = streams;
    }

    /// A stream begins anew: says what was lost since the last time.
    pub(super) fn begun_anew(&mut self, losses: &Losses) {
        let events = losses.events();
        if events > self.events {
            let lost = events - self.events;
            tracing::error!(lost, "events may not have reached other nodes");
        }
        self.events = events;
    }
}

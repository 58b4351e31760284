//! How many new members of one channel the peers may not know yet.

use crate::registry::NodeId;

use crate::replication::peer_streams::AckHandles;

/// Members that were told one after the other; the last one's acks stand for all.
#[derive(Debug, Default)]
struct Batch {
    members: usize,
    last: AckHandles,
}

/// An upper bound, in two batches: the older one is over as soon as the peers have acknowledged its
/// last member, and then the newer one takes its place. So a channel where members come all the time
/// keeps no more than two sets of acks, and forgets those of whom the peers know.
#[derive(Debug, Default)]
pub struct Unconfirmed {
    older: Batch,
    newer: Batch,
}

impl Batch {
    fn is_over(&self, is_late: &impl Fn(NodeId) -> bool) -> bool {
        self.last.iter().all(|ack| ack.is_settled() || is_late(ack.node()))
    }
}

impl Unconfirmed {
    /// A member was told.
    pub fn add(&mut self, acks: AckHandles) {
        self.newer.members += 1;
        self.newer.last = acks;
    }

    /// How many members at most some peer does not know. Peers that are late do not count.
    pub fn count(&mut self, is_late: impl Fn(NodeId) -> bool) -> usize {
        for _ in 0..2 {
            if self.older.is_over(&is_late) {
                self.older = std::mem::take(&mut self.newer);
            }
        }
        self.older.members + self.newer.members
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use cluster::{Cluster, Incarnation, Output, PeerInfo, Settings};

    use super::*;
    use crate::replication::{PeerStreams, Snapshots};

    const PEER: NodeId = NodeId(1);

    /// A node that has found a peer, which is never heard.
    fn node(streams: &PeerStreams) -> Cluster {
        let mut cluster = Cluster::new(Incarnation(1), Settings::default());
        let info = PeerInfo {
            incarnation: Incarnation(2),
            name: "peer".into(),
            version: 1,
            agreement: Settings::default().agreement,
        };
        cluster.found(Duration::ZERO, info);
        while let Some(output) = cluster.poll_output() {
            if let Output::Up { log, .. } = output {
                Snapshots::default().begin(streams, PEER, log);
            }
        }
        assert!(!streams.is_alone());
        cluster
    }

    fn tell(streams: &PeerStreams, unconfirmed: &mut Unconfirmed) {
        let mut acks = AckHandles::new();
        let _ = streams.send_counted(&Bytes::from("member"), false, &mut acks);
        unconfirmed.add(acks);
    }

    #[test]
    fn who_is_not_acknowledged_counts() {
        let (streams, mut unconfirmed) = (PeerStreams::default(), Unconfirmed::default());
        assert_eq!(unconfirmed.count(|_| false), 0);
        let mut cluster = node(&streams);
        for told in 1..5 {
            tell(&streams, &mut unconfirmed);
            assert_eq!(unconfirmed.count(|_| false), told);
        }
        assert_eq!(unconfirmed.count(|peer| peer == PEER), 0, "it is late");
        for _ in 0..5 {
            tell(&streams, &mut unconfirmed);
        }
        cluster.lost(Incarnation(2));
        assert_eq!(unconfirmed.count(|_| false), 0, "it is gone");
    }

    #[test]
    fn with_nobody_there_everybody_knows() {
        let mut unconfirmed = Unconfirmed::default();
        tell(&PeerStreams::default(), &mut unconfirmed);
        assert_eq!(unconfirmed.count(|_| false), 0);
    }
}

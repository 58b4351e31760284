//! The cluster's few numbers.

use std::time::Duration;

/// How patient a node is, how much it keeps for peers that do not answer, and who can be one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A peer is sent a packet at least this often (and one [`tick`](crate::Cluster::tick) more),
    /// even if there is nothing to tell.
    pub heartbeat: Duration,
    /// A peer that was not heard for this long is dead. Several heartbeats, for some may be lost.
    pub node_timeout: Duration,
    /// How many bytes of one stream may wait to be acknowledged, snapshots not counted.
    pub replay_bytes: usize,
    /// How long an entry may wait to be acknowledged.
    pub replay_age: Duration,
    /// Stands for everything that nodes decide alike without a word between them. Nodes with
    /// different numbers refuse each other. At least 1: a node that says none is taken for 0.
    pub agreement: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            heartbeat: Duration::from_millis(500),
            node_timeout: Duration::from_secs(2),
            replay_bytes: 16 << 20,
            replay_age: Duration::from_secs(30),
            agreement: 1,
        }
    }
}

impl Settings {
    /// How far two ticks may be apart before it was us who were away: far enough that a busy node
    /// still notices deaths, and with a heartbeat's delay still well below `node_timeout`, so that
    /// a pause that goes unnoticed kills nobody.
    pub(crate) fn longest_step(&self) -> Duration {
        self.heartbeat.max(self.node_timeout / 2)
    }
}

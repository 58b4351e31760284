//! What nodes are called.

use std::fmt;

/// One run of one node: a number drawn at its start, never 0. A node that was restarted is a new
/// incarnation, and nothing connects it with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The small number of a peer at this node, from 1 up; other nodes number their peers otherwise.
///
/// The same incarnation gets another slot when it is found again after it was down, and a slot is
/// given to another peer only after [`Cluster::forget`](crate::Cluster::forget).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u16);

/// What is known of a peer when it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Which run of which node it is.
    pub incarnation: Incarnation,
    /// What operators call the node; it may outlive an incarnation and identifies nothing here.
    pub name: String,
    /// The highest packet version that it speaks.
    pub version: u8,
    /// Its [`agreement`](crate::Settings::agreement); 0 if it does not say one.
    pub agreement: u32,
}

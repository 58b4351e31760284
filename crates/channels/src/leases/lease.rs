//! One key as a node that uses it sees it.

use std::collections::VecDeque;

use crate::leases::message::{GrantNumber, NodeName};

/// The most slots that a node keeps without using them, so that coming and going asks nobody.
pub(crate) const SPARE: u32 = 8;

/// Owned by one node.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    pub(crate) limit: u32,
    pub(crate) used: u32,
    pub(crate) held: u32,
    pub(crate) grant: GrantNumber,
    /// Who wait for a slot, in order.
    pub(crate) waiting: VecDeque<u64>,
    /// Whom the owner is that was asked and has not answered.
    pub(crate) asked: Option<NodeName>,
}

impl Lease {
    /// Takes a slot that is held already.
    pub(crate) fn take_held(&mut self) -> bool {
        let free = self.used < self.held;
        self.used += u32::from(free);
        free
    }

    /// Gives slots that are not in use back, but for so many; true if there were any.
    pub(crate) fn shrink(&mut self, keep: u32) -> bool {
        let most = self.used.saturating_add(keep);
        let shrinks = self.held > most;
        self.held = self.held.min(most);
        shrinks
    }

    /// Nothing is known of it, and nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held == 0 && self.used == 0 && self.waiting.is_empty()
    }
}

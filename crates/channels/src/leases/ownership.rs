//! One key as its owner sees it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::leases::message::NodeName;

/// What an owner has to remember beside what everybody knows.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    /// How many slots there may be, as it was last asked for.
    pub(crate) limit: u32,
    /// Who asked, for how many, in order.
    pub(crate) asking: VecDeque<(NodeName, u32)>,
    /// Who were asked to give back, and have not answered.
    pub(crate) recalled: BTreeSet<NodeName>,
    /// Whether everybody was asked to since somebody last got what was left.
    pub(crate) has_recalled: bool,
    /// Grants that a node has not confirmed: their numbers, and slots.
    unconfirmed: BTreeMap<NodeName, VecDeque<(u64, u32)>>,
}

impl Ownership {
    /// Slots granted that nobody has confirmed.
    pub(crate) fn unconfirmed(&self) -> u32 {
        self.unconfirmed.values().flatten().map(|(_, slots)| slots).sum()
    }

    /// Notes a grant.
    pub(crate) fn grant(&mut self, to: NodeName, number: u64, slots: u32) {
        self.unconfirmed.entry(to).or_default().push_back((number, slots));
    }

    /// A node has every grant up to this one, whether it took the slots or not.
    pub(crate) fn confirm(&mut self, node: NodeName, number: u64) {
        if let Some(grants) = self.unconfirmed.get_mut(&node) {
            grants.retain(|(unconfirmed, _)| *unconfirmed > number);
        }
    }

    /// A node's answer to a recall may be lost.
    pub(crate) fn recall_again(&mut self, node: NodeName) {
        if self.recalled.remove(&node) {
            self.has_recalled = false;
        }
    }

    /// A node is gone, or what it was told.
    pub(crate) fn forget(&mut self, node: NodeName) {
        self.recall_again(node);
        self.unconfirmed.remove(&node);
        self.asking.retain(|(asking, _)| *asking != node);
    }

    /// The members have changed: whoever still wants something asks anew.
    pub(crate) fn restart(&mut self) {
        self.asking.clear();
        self.recalled.clear();
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_idle(&self) -> bool {
        self.asking.is_empty() && self.recalled.is_empty() && self.unconfirmed() == 0
    }
}

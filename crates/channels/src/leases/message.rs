//! What nodes say to each other about leases.

use std::collections::BTreeSet;
use std::sync::Arc;

/// One run of one node.
pub type NodeName = u64;

/// A grant of one owner; a later one has a higher number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantNumber {
    /// Who granted.
    pub owner: NodeName,
    /// How many grants it had made then, itself included.
    pub number: u64,
}

/// What is told. Messages of one node to another arrive in order, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseMessage {
    /// To everybody: so many slots are held, up to this grant.
    Held {
        /// Of what.
        key: Arc<str>,
        /// Slots, in use or not.
        held: u32,
        /// The last grant that is among them.
        grant: GrantNumber,
    },
    /// To everybody: these are the members, as seen from here. It follows everything that is held.
    View {
        /// How often the view has changed.
        number: u64,
        /// Ourselves and the others that are ready.
        members: BTreeSet<NodeName>,
    },
    /// The answer: how the members look from here, now that your view is known. Without it, a view
    /// from before the members changed, and changed back, could be taken for one from after that.
    Seen {
        /// The number of your view.
        number: u64,
        /// Our view.
        members: BTreeSet<NodeName>,
    },
    /// To the owner: slots are wanted.
    Ask {
        /// Of what.
        key: Arc<str>,
        /// How many there may be in all.
        limit: u32,
        /// How many are wanted at least.
        want: u32,
    },
    /// From the owner: so many slots more.
    Grant {
        /// Of what.
        key: Arc<str>,
        /// How many.
        slots: u32,
        /// Which grant it is.
        grant: GrantNumber,
    },
    /// From the owner: there are none left.
    Deny {
        /// Of what.
        key: Arc<str>,
    },
    /// From the owner: give back what is not in use; the answer is [`Returned`](Self::Returned).
    Recall {
        /// Of what.
        key: Arc<str>,
    },
    /// To the owner: what was not in use has been given back, as told before.
    Returned {
        /// Of what.
        key: Arc<str>,
    },
}

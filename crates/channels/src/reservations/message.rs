//! What nodes say to each other about claims.

/// When a claim was made: of two, the earlier one has the lower stamp, on all nodes alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Higher than that of every claim that the node knew.
    pub time: u64,
    /// The run of the node, which makes stamps distinct.
    pub node: u64,
}

/// What is told about one channel. Messages of one node to another arrive in order, and in the order
/// of the facts about the channel; or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReservationMessage {
    /// To everybody: a user wants to become a member here.
    Claim {
        /// Which claim it is.
        stamp: Stamp,
        /// The user's id.
        user: Box<str>,
    },
    /// The answer: the claim is known. It follows everything that was decided without it.
    Seen {
        /// Which claim.
        stamp: Stamp,
    },
    /// To everybody: the claim has been decided, or withdrawn. It follows the member, if there is
    /// one now.
    Settled {
        /// Which claim.
        stamp: Stamp,
    },
}

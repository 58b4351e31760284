//! Who says what happened: exactly one node of a cluster, once it is sure.
//!
//! Every node sees every channel become occupied and vacated, and every member come and go, because
//! every node knows the facts of all. A backend has to hear of each only once. So for each channel
//! the node that wins the rendezvous hash announces it; the others keep silent, but stay able to take over.
//!
//! ```text
//!   came, went  -->  grace      a departure waits, and is forgotten with the return that follows
//!                      |
//!                    candidates who announces the channel, of those who were ready when it happened
//!                      |
//!                    memory     what somebody else announces: said by another if that node is dead
//!                      |
//!                    Statement  what this node has to say
//! ```
//!
//! **While membership is stable every turn is said exactly once**, and coming and going alternate. A
//! node that dies may have said a little more than was heard of it: what happened after its last sign
//! of life is said again by its successor.
//!
//! Pure, without IO, clock or randomness: it must not know what is done with a statement, nor how
//! nodes hear of each other. Times are durations since any common zero of this node.

mod announcing;
mod candidates;
mod grace;
mod memory;
mod missed;
mod note;
mod statement;

pub use self::announcing::{Announcer, AnnouncerSettings};
pub use missed::Missed;
pub use note::{Note, Origin};
pub use statement::{Statement, StatementKind, Subject};

/// A run of a node, as all nodes call it.
pub type NodeName = u64;

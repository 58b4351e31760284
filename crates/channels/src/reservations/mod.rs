//! Presence limits that hold over all nodes: a channel never has more distinct members than it may,
//! whoever joins where at the same moment.
//!
//! A node sees the union of all nodes' members, as far as it was told. Two rules make the limit
//! exact all the same:
//!
//! - **Alone.** Every node may have so many *unconfirmed* members in a channel, members of its own
//!   that not all peers have acknowledged: its [`allowance`]. A node admits without asking as long
//!   as it stays within that, and what it sees leaves room for the allowance of every other node.
//!   What it does not see can be no more than those. So nobody is asked, and no message is sent
//!   that would not be sent anyway, while a channel is far from its limit.
//! - **By claim.** Near the limit a node claims the place of everybody. A claim has a stamp that is
//!   higher than the stamps of all claims that its node knew. It is decided when every peer has
//!   answered that it has seen it; as streams are in order, the node then knows every claim with a
//!   lower stamp, and every member that was admitted without knowing this one. It leaves room for
//!   the earlier claims. While anybody's claim is known, nobody admits alone.
//!
//! ```text
//!   join --yes, full or claimed-->  node  --Claim-->    everybody
//!                                   node  <--Seen--     everybody, after everything told before
//!                                   node  --Settled-->  everybody, after the member if there is one
//! ```
//!
//! Every new member of a *node* counts, also one that is a member elsewhere already: the node may
//! know it from a fact that is over. So a second tab at the limit waits for the answers, too, and
//! then succeeds.
//!
//! Nobody waits for a peer that is frozen: whoever decides when its patience is over holds those who
//! have not answered for late, and goes by what it sees. A late peer is not waited for until it
//! answers again. So the limit is exact as long as all nodes answer in time and no stream loses
//! what was told in it.
//!
//! Pure, without IO, clock or randomness: it must not know how messages travel, nor who the members
//! are but through [`Members`].

mod channel;
mod message;
mod table;

pub use self::table::{
    Decision, Join, Members, PeerIndex, Request, ReservationId, Reservations, allowance,
};
pub use message::{ReservationMessage, Stamp};

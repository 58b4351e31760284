//! One link: an ordered stream of entries each way between two nodes, over a transport that may
//! lose, repeat and reorder. It must not know what an entry means or who carries the packets.
//!
//! **A stream** is what one node tells one peer. Entries are numbered from 1, kept in a [`Log`](crate::Log)
//! until the peer acknowledges them, and transmitted in runs, one [`Packet`] each. Every stream
//! that a node begins, to whomever, gets an `epoch` higher than all its earlier ones; so of two
//! packets from one node, the one with the higher epoch is of the newer stream, and a receiver
//! drops what belongs to an older one.
//!
//! **A gap** shows when a packet begins beyond what was received, and a heartbeat is a packet
//! without entries that begins where the next one will, so a lost tail shows too. The receiver
//! drops what comes after the gap and asks for everything from there again (go-back-N).
//!
//! **Company.** Entries that are not in a hurry wait a moment for others that they can go out with,
//! see `stream::window`; where many are told, that makes few packets of them. Acknowledgements go
//! with entries of the opposite stream when there are some.
//!
//! **A broken stream** is one whose unacknowledged entries grew too many or too old. They are
//! dropped at once. When the peer is heard again, a new stream begins, with a snapshot.
//!
//! **Oblivion.** A node that held a peer for dead has forgotten what it told, and may find it again
//! although the peer noticed nothing. Each packet therefore says `since` when its sender knows its
//! receiver: the epoch of the first stream that it began to it. A higher `since` than before means
//! that we were forgotten and have to begin a new stream. In return, the node that has forgotten
//! takes entries only from packets that acknowledge an epoch of its present acquaintance
//! (`ack_epoch >= since`): their sender has noticed, and they are of the new stream. So no entry
//! reaches one incarnation twice, however late a packet comes. Since entries that are sent to
//! somebody who has not been heard yet could not fulfil that, they wait for its first packet.

mod incoming;
mod packet;
mod peer;

pub use packet::{Flags, Header, MAX_PACKET, Packet, PacketError, VERSION};

pub(crate) use peer::{Peer, Speaker};

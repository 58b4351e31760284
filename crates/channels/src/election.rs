//! Which of several nodes does what only one may do: the same on every node, without a word
//! between them.
//!
//! **Rendezvous hashing** (highest random weight): every node has a score for every key, and the
//! node with the highest one wins; of two with the same score, the higher node number. Each of n
//! nodes wins about 1/n of all keys, and when a node comes or goes only the keys that it wins move.
//!
//! **The score** is the SipHash-2-4 (Aumasson and Bernstein, 64 bits) with a key of sixteen zero
//! bytes of
//!
//! ```text
//!  for each part of the key:  8 bytes  its length in bytes, little endian
//!                             ..       the part, as UTF-8
//!  then                       8 bytes  the number of the node, little endian
//! ```
//!
//! The first part says what the election is about, see [`ElectionKey`], so that the owner of an app's quota
//! is not related to the announcer of a channel that is called the same. The lengths keep
//! ("ab", "c") and ("a", "bc") apart.
//!
//! It is SipHash because that is a published function with published test vectors, some twenty
//! lines in any language, where hashers for tables may give other values after an update. Nodes of
//! different versions must agree, or a quota has two owners and a webhook is sent twice or never.
//!
//! Pure: it must not know what the winner does, nor where the node numbers come from.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

/// Which election this is. To be raised whenever anybody could win who would not have won before: a
/// node refuses peers that hold another one, so raising it means that a cluster cannot be upgraded
/// node by node.
pub const ELECTION: u32 = 1;

/// What one of the nodes is elected for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionKey<'a> {
    /// To deal out the connections of an app. Its parts are "quota" and the app's id.
    Quota {
        /// The app's id.
        app: &'a str,
    },
    /// To tell backends what happens on a channel, so that one node tells all that happens on one
    /// channel. Its parts are "channel", the app's id and the channel's name.
    Channel {
        /// The app's id.
        app: &'a str,
        /// The channel's name.
        channel: &'a str,
    },
}

/// Which of `nodes` wins, in whatever order they come; `None` if there are none.
pub fn winner(key: ElectionKey<'_>, nodes: impl IntoIterator<Item = u64>) -> Option<u64> {
    let hashed = key.hashed();
    nodes.into_iter().max_by_key(|node| (score(hashed, *node), *node))
}

impl ElectionKey<'_> {
    /// What the scores of all nodes have in common.
    fn hashed(self) -> SipHasher24 {
        let mut hasher = SipHasher24::new_with_key(&[0; 16]);
        let mut write = |part: &str| {
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part.as_bytes());
        };
        match self {
            ElectionKey::Quota { app } => ["quota", app].into_iter().for_each(&mut write),
            ElectionKey::Channel { app, channel } => {
                ["channel", app, channel].into_iter().for_each(&mut write);
            }
        }
        hasher
    }
}

fn score(mut hashed: SipHasher24, node: u64) -> u64 {
    hashed.write(&node.to_le_bytes());
    hashed.finish()
}

#[cfg(test)]
mod tests;

//! What all nodes of a cluster have to agree on without saying it, such as who wins an election:
//! one number, which changes whenever they would not.

use bytes::Buf;

use crate::PeerInfo;

/// A node that decides otherwise than this one does, so that the two must not be peers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} has agreement {theirs}, this node {ours}; \
     upgrade all nodes to versions that agree"
)]
pub struct Disagreement {
    /// What the other node calls itself.
    pub name: String,
    /// Its number; 0 if it does not say one.
    pub theirs: u32,
    /// Ours.
    pub ours: u32,
}

impl PeerInfo {
    /// Whether this node, whose [`agreement`](crate::Settings::agreement) is `ours`, may have it as
    /// a peer.
    ///
    /// # Errors
    /// The other node has another one.
    pub(crate) fn agrees_with(&self, ours: u32) -> Result<(), Disagreement> {
        if self.agreement == ours {
            return Ok(());
        }
        Err(Disagreement { name: self.name.clone(), theirs: self.agreement, ours })
    }
}

/// Reads the number at the end of a hello or greeting, where it is 4 bytes, big endian. A node of a
/// build that has none ends before it; a newer one may go on behind it. None if it is cut off.
pub(crate) fn decode(mut wire: &[u8]) -> Option<u32> {
    if wire.is_empty() { Some(0) } else { wire.try_get_u32().ok() }
}

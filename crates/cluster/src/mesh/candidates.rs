//! Which addresses may be those of peers, and for how long that is believed.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::Incarnation;

/// How many are kept, each with a task. Far more than there are nodes; without a secret, strangers
/// can make us believe in any.
const MAX_CANDIDATES: usize = 1024;

/// An address that may be a peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Who was there last, if that is known; perhaps ourselves.
    pub(super) incarnation: Option<Incarnation>,
    /// It is forgotten then, unless it is mentioned again.
    pub(super) until: Instant,
}

/// All candidates, and with whom a handshake is going on.
#[derive(Default)]
pub(super) struct Candidates {
    table: RefCell<HashMap<SocketAddr, Candidate>>,
    shaking: RefCell<HashSet<Incarnation>>,
}

impl Candidates {
    /// The address is mentioned by somebody. Whether it is new, so that it has to be pursued.
    pub(super) fn mention(
        &self,
        address: SocketAddr,
        incarnation: Option<Incarnation>,
        lifetime: Duration,
    ) -> bool {
        let mut table = self.table.borrow_mut();
        let until = Instant::now() + lifetime;
        if let Some(known) = table.get_mut(&address) {
            known.until = known.until.max(until);
            known.incarnation = incarnation.or(known.incarnation);
            return false;
        }
        let room = table.len() < MAX_CANDIDATES;
        if room {
            table.insert(address, Candidate { incarnation, until });
        }
        room
    }

    /// What is known of the address; `None` if it is not believed in any more, and then whoever
    /// pursues it has to stop.
    pub(super) fn get(&self, address: SocketAddr) -> Option<Candidate> {
        let mut table = self.table.borrow_mut();
        let candidate = *table.get(&address)?;
        if candidate.until > Instant::now() {
            return Some(candidate);
        }
        table.remove(&address);
        None
    }

    /// This is who is there.
    pub(super) fn identify(&self, address: SocketAddr, incarnation: Incarnation) {
        if let Some(known) = self.table.borrow_mut().get_mut(&address) {
            known.incarnation = Some(incarnation);
        }
    }

    /// This peer is gone, and where it was nobody is expected unless mentioned again.
    pub(super) fn forget(&self, incarnation: Incarnation) {
        for candidate in self.table.borrow_mut().values_mut() {
            if candidate.incarnation == Some(incarnation) {
                candidate.incarnation = None;
                candidate.until = Instant::now();
            }
        }
    }

    /// A handshake with this peer begins; `None` if there is another one already. A peer that has
    /// two addresses would be connected to twice.
    pub(super) fn shake(&self, peer: Incarnation) -> Option<Shaking<'_>> {
        let first = self.shaking.borrow_mut().insert(peer);
        first.then(|| Shaking { candidates: self, peer })
    }
}

/// A handshake that goes on.
pub(super) struct Shaking<'a> {
    candidates: &'a Candidates,
    peer: Incarnation,
}

impl Drop for Shaking<'_> {
    fn drop(&mut self) {
        self.candidates.shaking.borrow_mut().remove(&self.peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_mentioned_again_is_forgotten() {
        let candidates = Candidates::default();
        assert!(candidates.mention(address(1), None, SECOND * 2));
        tokio::time::advance(SECOND).await;
        assert!(!candidates.mention(address(1), Some(Incarnation(1)), SECOND * 2));
        assert!(!candidates.mention(address(1), None, SECOND), "believed in for longer already");
        tokio::time::advance(SECOND).await;
        assert_eq!(candidates.get(address(1)).unwrap().incarnation, Some(Incarnation(1)));
        tokio::time::advance(SECOND).await;
        assert_eq!(candidates.get(address(1)), None);
        assert!(candidates.mention(address(1), None, SECOND));
    }

    #[tokio::test]
    async fn who_is_gone_is_not_expected() {
        let candidates = Candidates::default();
        candidates.mention(address(1), Some(Incarnation(1)), SECOND);
        candidates.mention(address(2), Some(Incarnation(2)), SECOND);
        candidates.forget(Incarnation(1));
        assert_eq!(candidates.get(address(1)), None);
        assert!(candidates.get(address(2)).is_some());
    }

    #[tokio::test]
    async fn there_are_not_too_many() {
        let candidates = Candidates::default();
        let new = (1..=2000).filter(|port| candidates.mention(address(*port), None, SECOND));
        assert_eq!(new.count(), MAX_CANDIDATES);
    }

    #[test]
    fn one_handshake_with_a_peer_at_a_time() {
        let candidates = Candidates::default();
        let one = candidates.shake(Incarnation(1));
        assert!(candidates.shake(Incarnation(1)).is_none());
        assert!(candidates.shake(Incarnation(2)).is_some());
        drop(one);
        assert!(candidates.shake(Incarnation(1)).is_some());
    }
}

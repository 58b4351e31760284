//! What nodes say about claims to places, as fields of an entry; and the members of a channel as
//! claims are decided by them.

use crate::registry::{NodeId, Roster};
use crate::reservations::{Members, ReservationMessage, Stamp};

use crate::replication::codec::{Malformed, Reader, Writer};

const CLAIM: u64 = 1;
const SEEN: u64 = 2;
const SETTLED: u64 = 3;

/// A channel's roster, over all nodes.
#[derive(Clone, Copy, Debug)]
pub struct Union<'a>(pub &'a Roster);

impl Members for Union<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn has(&self, user: &str) -> bool {
        self.0.contains(user)
    }

    fn has_here(&self, user: &str) -> bool {
        self.0.is_of_node(NodeId::LOCAL, user)
    }
}

impl Writer {
    pub(crate) fn claim(&mut self, message: &ReservationMessage) {
        let (what, stamp) = match message {
            ReservationMessage::Claim { stamp, .. } => (CLAIM, stamp),
            ReservationMessage::Seen { stamp } => (SEEN, stamp),
            ReservationMessage::Settled { stamp } => (SETTLED, stamp),
        };
        [what, stamp.time, stamp.node].into_iter().for_each(|number| self.number(number));
        if let ReservationMessage::Claim { user, .. } = message {
            self.text(user);
        }
    }
}

impl Reader<'_> {
    /// None for something that a later version says.
    pub(crate) fn claim(&mut self) -> Result<Option<ReservationMessage>, Malformed> {
        let what = self.number("claim message")?;
        let stamp = Stamp { time: self.number("stamp")?, node: self.number("stamp")? };
        Ok(Some(match what {
            CLAIM => ReservationMessage::Claim { stamp, user: self.text("user id")?.into() },
            SEEN => ReservationMessage::Seen { stamp },
            SETTLED => ReservationMessage::Settled { stamp },
            _ => return Ok(None),
        }))
    }
}

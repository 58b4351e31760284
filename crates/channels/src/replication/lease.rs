//! What nodes say about quotas, as fields of an entry.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::leases::{GrantNumber, LeaseMessage};

use crate::replication::codec::{Malformed, Reader, Writer};

const HELD: u64 = 1;
const VIEW: u64 = 2;
const SEEN: u64 = 3;
const ASK: u64 = 4;
const GRANT: u64 = 5;
const DENY: u64 = 6;
const RECALL: u64 = 7;
const RETURNED: u64 = 8;

impl Writer {
    pub(crate) fn lease(&mut self, message: &LeaseMessage) {
        match message {
            LeaseMessage::Held { key, held, grant } => {
                self.about(HELD, key);
                self.number(u64::from(*held));
                self.grant(*grant);
            }
            LeaseMessage::View { number, members } => self.view(VIEW, *number, members),
            LeaseMessage::Seen { number, members } => self.view(SEEN, *number, members),
            LeaseMessage::Ask { key, limit, want } => {
                self.about(ASK, key);
                self.number(u64::from(*limit));
                self.number(u64::from(*want));
            }
            LeaseMessage::Grant { key, slots, grant } => {
                self.about(GRANT, key);
                self.number(u64::from(*slots));
                self.grant(*grant);
            }
            LeaseMessage::Deny { key } => self.about(DENY, key),
            LeaseMessage::Recall { key } => self.about(RECALL, key),
            LeaseMessage::Returned { key } => self.about(RETURNED, key),
        }
    }

    fn about(&mut self, what: u64, key: &str) {
        self.number(what);
        self.text(key);
    }

    fn grant(&mut self, grant: GrantNumber) {
        self.number(grant.owner);
        self.number(grant.number);
    }

    fn view(&mut self, what: u64, number: u64, members: &BTreeSet<u64>) {
        self.number(what);
        self.number(number);
        self.number(members.len() as u64);
        members.iter().for_each(|member| self.number(*member));
    }
}

impl Reader<'_> {
    /// None for something that a later version says.
    pub(crate) fn lease(&mut self) -> Result<Option<LeaseMessage>, Malformed> {
        let what = self.number("lease message")?;
        if let VIEW | SEEN = what {
            let number = self.number("view number")?;
            let count = self.number("number of members")?;
            let members = (0..count).map(|_| self.number("member")).collect::<Result<_, _>>()?;
            return Ok(Some(match what {
                VIEW => LeaseMessage::View { number, members },
                _ => LeaseMessage::Seen { number, members },
            }));
        }
        let key: Arc<str> = self.text("key")?.into();
        Ok(Some(match what {
            HELD => LeaseMessage::Held { key, held: self.small("slots")?, grant: self.grant()? },
            ASK => {
                LeaseMessage::Ask { key, limit: self.small("limit")?, want: self.small("slots")? }
            }
            GRANT => LeaseMessage::Grant { key, slots: self.small("slots")?, grant: self.grant()? },
            DENY => LeaseMessage::Deny { key },
            RECALL => LeaseMessage::Recall { key },
            RETURNED => LeaseMessage::Returned { key },
            _ => return Ok(None),
        }))
    }

    fn grant(&mut self) -> Result<GrantNumber, Malformed> {
        Ok(GrantNumber { owner: self.number("grant")?, number: self.number("grant")? })
    }
}

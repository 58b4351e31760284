//! Subscriptions that are decided and not told to the client yet, as the server holds them back:
//! until the peers know of them, or until patience ends.

use std::collections::VecDeque;

use channels::replication::{Ticket, Tickets};

use crate::Channel;
use crate::socket::SocketNumber;

/// The most that a client waits for peers, in milliseconds.
pub(crate) const PATIENCE: u64 = 50;

#[derive(Clone)]
pub(crate) struct Wait {
    pub(crate) channel: Channel,
    pub(crate) socket: SocketNumber,
    pub(crate) tickets: Tickets,
    pub(crate) until: u64,
}

impl Wait {
    pub(crate) fn is_known(&self) -> bool {
        self.tickets.iter().all(Ticket::is_settled)
    }
}

/// In the order in which they were decided.
#[derive(Default)]
pub(crate) struct Waits(VecDeque<Wait>);

impl Waits {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, wait: Wait) {
        self.0.push_back(wait);
    }

    pub(crate) fn holds(&self, channel: &Channel, socket: SocketNumber) -> bool {
        self.0.iter().any(|wait| wait.channel == *channel && wait.socket == socket)
    }

    /// A client has unsubscribed: it may subscribe again, which is then another wait.
    pub(crate) fn forget(&mut self, channel: &Channel, socket: SocketNumber) {
        self.0.retain(|wait| wait.channel != *channel || wait.socket != socket);
    }

    /// The last one of a channel.
    pub(crate) fn of(&self, channel: &Channel) -> Option<&Wait> {
        self.0.iter().rfind(|wait| wait.channel == *channel)
    }

    /// The first ones that need not wait any longer.
    pub(crate) fn over(&mut self, now: u64) -> Vec<Wait> {
        let is_over = |wait: &&Wait| wait.until <= now || wait.is_known();
        let over = self.0.iter().take_while(is_over).count();
        self.0.drain(..over).collect()
    }
}

//! Which server has which channel.

use std::collections::BTreeSet;

use redis_client::{Address, ConnectError, OptionError, RedisOptions, Slots};

/// Where channels are, as the servers or the sentinels saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Routes {
    /// All at one server.
    One(Address),
    /// Each at the master of its slot.
    Cluster(Slots),
}

impl Routes {
    /// Asks for them. `known` are servers that were found before.
    pub(super) async fn find(
        options: &RedisOptions,
        known: &[Address],
    ) -> Result<Routes, ConnectError> {
        if let Some(slots) = options.slots(known).await? {
            return Ok(Routes::Cluster(slots));
        }
        match options.master().await? {
            Some(master) => Ok(Routes::One(master)),
            None => Err(OptionError::NoNodes("nodes").into()),
        }
    }

    /// The server that has a channel; none if its slot has no master now.
    pub(super) fn owner(&self, channel: &str) -> Option<&Address> {
        match self {
            Routes::One(server) => Some(server),
            Routes::Cluster(slots) => slots.owner(channel.as_bytes()),
        }
    }

    /// All servers that have channels.
    pub(super) fn servers(&self) -> BTreeSet<&Address> {
        match self {
            Routes::One(server) => BTreeSet::from([server]),
            Routes::Cluster(slots) => slots.masters(),
        }
    }

    pub(super) fn subscribe(&self) -> &'static str {
        if self.sharded() { "SSUBSCRIBE" } else { "SUBSCRIBE" }
    }

    pub(super) fn publish(&self) -> &'static str {
        if self.sharded() { "SPUBLISH" } else { "PUBLISH" }
    }

    fn sharded(&self) -> bool {
        matches!(self, Routes::Cluster(slots) if slots.sharded())
    }
}

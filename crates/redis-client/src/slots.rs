//! A Redis Cluster: which master has which slot.

use std::collections::BTreeSet;

use crate::first::first;
use crate::reply::Reply;
use crate::wire::Wire;
use crate::{Address, ConnectError, RedisOptions, Topology};

/// How many slots a Redis Cluster has.
const SLOTS: u16 = 16_384;

/// Which master has which slots, as one of the nodes saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The first and the last slot of each run, and its master; sorted.
    runs: Vec<(u16, u16, Address)>,
    sharded: bool,
}

impl RedisOptions {
    /// Asks the nodes of a Redis Cluster for its slots; the first one that answers is believed.
    /// `known` are nodes that were found earlier, in case the configured ones are gone. None if it
    /// is no Redis Cluster.
    ///
    /// # Errors
    /// No node answers.
    pub async fn slots(&self, known: &[Address]) -> Result<Option<Slots>, ConnectError> {
        let Topology::Cluster(nodes) = &self.topology else { return Ok(None) };
        let all = nodes.iter().chain(known.iter().filter(|node| !nodes.contains(node)));
        let attempt = |node: &Address| {
            let (options, node) = (self.clone(), node.clone());
            async move { options.in_time(&node, async { ask(options.open(&node).await?).await }).await }
        };
        let attempts: Vec<_> = all.map(attempt).collect();
        let slots = first(|| "no node of the Redis Cluster tells its slots".into(), attempts).await;
        slots.map(Some)
    }
}

impl Slots {
    /// The master of a key's or a channel's slot; none if the slot has none now.
    pub fn owner(&self, key: &[u8]) -> Option<&Address> {
        let slot = slot_of(key);
        let after = self.runs.partition_point(|(first, ..)| *first <= slot);
        let (_, last, master) = self.runs.get(after.checked_sub(1)?)?;
        (slot <= *last).then_some(master)
    }

    /// All masters that have slots.
    pub fn masters(&self) -> BTreeSet<&Address> {
        self.runs.iter().map(|(.., master)| master).collect()
    }

    /// Whether the servers know sharded channels, which belong to one slot as keys do.
    pub fn sharded(&self) -> bool {
        self.sharded
    }

    fn new(answer: &Reply, asked: &Address, sharded: bool) -> Option<Slots> {
        let mut runs = Vec::new();
        for run in answer.elements() {
            let [Reply::Integer(first), Reply::Integer(last), master, ..] = run.elements() else {
                return None;
            };
            let [host, Reply::Integer(port), ..] = master.elements() else { return None };
            let host = match host.text() {
                // It does not know its own address, but we do.
                None | Some("") => &asked.host,
                // It does not know that node's address, so nobody can be sent there.
                Some("?") => continue,
                Some(host) => host,
            };
            let slot = |slot: &i64| u16::try_from(*slot).ok().filter(|slot| *slot < SLOTS);
            let master = Address::new(host, u16::try_from(*port).ok()?);
            runs.push((slot(first)?, slot(last)?, master));
        }
        runs.sort();
        Some(Slots { runs, sharded })
    }
}

async fn ask(mut wire: Wire) -> Result<Slots, ConnectError> {
    let sharded = match wire.call(&["COMMAND", "INFO", "SPUBLISH"]).await {
        Ok(reply) => matches!(reply.elements(), [Reply::Array(_)]),
        // The user may not ask. Servers without sharded channels are old, and so rare.
        Err(ConnectError::Refused { .. }) => true,
        Err(error) => return Err(error),
    };
    let answer = wire.call(&["CLUSTER", "SLOTS"]).await?;
    let slots = Slots::new(&answer, wire.address(), sharded);
    slots.ok_or_else(|| wire.unexpected(format!("its slots are not understood: {answer:?}")))
}

/// The slot of a key or a channel: of what is between the first `{` and the next `}`, or of the
/// whole if there is no such thing.
pub fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let length = rest.iter().position(|byte| *byte == b'}')?;
        (length > 0).then(|| &rest[..length])
    });
    checksum(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: i64, last: i64, host: Option<&'static str>, port: i64) -> Reply {
        let host = Reply::Bulk(host.map(Into::into));
        let master = Reply::Array(vec![host, Reply::Integer(port), Reply::Bulk(None)]);
        Reply::Array(vec![Reply::Integer(first), Reply::Integer(last), master])
    }

    fn slots(runs: Vec<Reply>) -> Option<Slots> {
        Slots::new(&Reply::Array(runs), &Address::new("asked", 1), true)
    }

    #[test]
    fn keys_have_the_slots_that_everybody_gives_them() {
        assert_eq!(checksum(b"123456789"), 0x31c3);
        let keys = ["", "a", "dunlin:hello", "{a}b", "x{a}", "{}a", "{a", "a}", "{{a}}", "ü{ä}"];
        for key in keys {
            let slot = redis::cluster_routing::Slot::for_key(key);
            assert_eq!(redis::cluster_routing::Slot::new(slot_of(key.as_bytes())), Some(slot));
        }
        assert_eq!(slot_of(b"{a}b"), slot_of(b"a"));
    }

    #[test]
    fn every_slot_has_its_master() {
        let one = run(0, 8000, Some("one"), 10);
        let slots = slots(vec![run(8001, 16383, Some("two"), 20), one]).unwrap();
        assert!(slot_of(b"a") == 15495 && slot_of(b"b") == 3300);
        assert_eq!(slots.owner(b"a"), Some(&Address::new("two", 20)));
        assert_eq!(slots.owner(b"b"), Some(&Address::new("one", 10)));
        assert_eq!(slots.masters().len(), 2);
    }

    #[test]
    fn gaps_and_nodes_without_an_address() {
        let parts = vec![run(0, 100, Some("x"), 1), run(3000, 4000, None, 2)];
        let slots = slots([parts, vec![run(15000, 16000, Some("?"), 3)]].concat()).unwrap();
        assert_eq!(slots.owner(b"b"), Some(&Address::new("asked", 2)));
        assert_eq!(slots.owner(b"a"), None);
        assert_eq!(slots.masters().len(), 2);
    }

    #[test]
    fn nonsense_is_refused() {
        let with = |run| slots(vec![run]);
        assert!(with(Reply::Integer(1)).is_none());
        assert!(with(run(0, 16384, Some("x"), 1)).is_none());
        assert!(with(run(0, 1, Some("x"), 65536)).is_none());
        assert_eq!(slots(vec![]).unwrap().owner(b"a"), None);
    }
}

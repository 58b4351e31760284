//! The names of what is kept in Redis.
//!
//! ```text
//!   {partition}:jobs   stream      a partition's jobs, oldest first; what is done is deleted
//!   {partition}:lane   hash        who reads the partition: epoch, worker, waits; read: up to which id
//!   {all}:lanes        hash        every partition that may have jobs, with `epoch worker`, or nothing
//!                                  if it is free
//!   {all}:free         set         the partitions that nobody has
//!   {all}:beats        sorted set  workers, and until when they are alive
//!   {all}:loads        sorted set  workers, and how many partitions they have
//!   {all}:epoch        string      the last epoch that was given
//! ```
//!
//! Partitions were called lanes when these names were given, and scripts of both ages may meet in one
//! Redis. In a Redis Cluster, what belongs to one partition is in one slot, and what belongs to all of
//! them is in one slot; every script stays within one of them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The names, after the prefix of this queue.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
    /// Of all partitions: lanes, free, beats, loads, epoch.
    pub(crate) all: [String; 5],
}

impl Keys {
    pub(crate) fn new(key_prefix: &str) -> Self {
        let prefix = format!("{key_prefix}dunlin:queue:");
        let all = ["lanes", "free", "beats", "loads", "epoch"];
        let all = all.map(|name| format!("{prefix}{{all}}:{name}"));
        Keys { prefix, all }
    }

    /// Of one partition: jobs, lane. A digest stands for its name, which may be long and of any
    /// characters.
    pub(crate) fn partition(&self, partition: &str) -> [String; 2] {
        let mut tag = String::with_capacity(32);
        for byte in &Sha256::digest(partition)[..16] {
            let _ = write!(tag, "{byte:02x}");
        }
        ["jobs", "lane"].map(|name| format!("{}{{{tag}}}:{name}", self.prefix))
    }

    /// The channel on which a worker is woken.
    pub(crate) fn wake(&self, worker: &str) -> String {
        format!("{}wake:{worker}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis_client::slot_of;

    #[test]
    fn what_one_script_uses_is_in_one_slot() {
        for prefix in ["", "a:", "{a}", "{a", "a}", "}{"] {
            let keys = Keys::new(prefix);
            let slots = |keys: &[String]| -> Vec<u16> {
                keys.iter().map(|key| slot_of(key.as_bytes())).collect()
            };
            for slots in
                [slots(&keys.all), slots(&keys.partition("a")), slots(&keys.partition("}{ü"))]
            {
                assert!(slots.iter().all(|slot| *slot == slots[0]), "{prefix}");
            }
            assert_ne!(keys.partition("a"), keys.partition("b"));
        }
    }
}

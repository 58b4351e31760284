//! The names of what is kept in Redis.
//!
//! ```text
//!   {lane}:jobs    stream    a lane's jobs, oldest first; what is done is deleted
//!   {lane}:lane    hash      who reads the lane: epoch, worker, waits; read: up to which id
//!   {all}:lanes    hash      every lane that may have jobs, with `epoch worker`, or nothing if free
//!   {all}:free     set       the lanes that nobody has
//!   {all}:beats    sorted set  workers, and until when they are alive
//!   {all}:loads    sorted set  workers, and how many lanes they have
//!   {all}:epoch    string    the last epoch that was given
//! ```
//!
//! In a Redis Cluster, what belongs to one lane is in one slot, and what belongs to all lanes is in
//! one slot; every script stays within one of them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The names, after the prefix of this queue.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
    /// Of all lanes: lanes, free, beats, loads, epoch.
    pub(crate) all: [String; 5],
}

impl Keys {
    pub(crate) fn new(key_prefix: &str) -> Self {
        let prefix = format!("{key_prefix}dunlin:queue:");
        let all = ["lanes", "free", "beats", "loads", "epoch"];
        let all = all.map(|name| format!("{prefix}{{all}}:{name}"));
        Keys { prefix, all }
    }

    /// Of one lane: jobs, lane. A digest stands for its name, which may be long and of any
    /// characters.
    pub(crate) fn lane(&self, lane: &str) -> [String; 2] {
        let mut tag = String::with_capacity(32);
        for byte in &Sha256::digest(lane)[..16] {
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
            for slots in [slots(&keys.all), slots(&keys.lane("a")), slots(&keys.lane("}{ü"))] {
                assert!(slots.iter().all(|slot| *slot == slots[0]), "{prefix}");
            }
            assert_ne!(keys.lane("a"), keys.lane("b"));
        }
    }
}

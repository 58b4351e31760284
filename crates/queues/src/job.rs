//! What waits in a queue, and how much of it can be taken in. Nothing here knows what a job is for.

use bytes::Bytes;

/// Something to be done. Jobs of one partition and group are handed out in order, the next when the one
/// before is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Jobs of different partitions do not wait for each other.
    pub partition: String,
    /// What is in order within its partition.
    pub group: String,
    /// What is to be done, for whoever does it.
    pub payload: Bytes,
}

/// Where jobs go that are handed out.
pub trait Room: Send + Sync {
    /// How many more jobs of a partition can be taken in now. Asked often, and under a lock: it must
    /// answer at once, and must not use the queue.
    fn room(&self, partition: &str) -> usize;
}

//! What a worker asks of Redis, one call each.

use bytes::Bytes;
use redis::cmd;

use super::RedisQueue;
use super::script::{CLAIM, LEAVE, READ, RELEASE};
use crate::QueueError;
use crate::scheduler::HandoutId;

/// How long a worker lives without a further word, in ms.
const LIVES: &str = "8000";
/// How long a partition's reader is remembered after its last call, in ms. Longer than the time between
/// two looks at the partition.
const REMEMBERED: &str = "60000";
/// How many partitions a worker takes at once.
const LANES: &str = "1000";
/// How many jobs are read at once.
const JOBS: usize = 64;

/// The answer to a claim.
pub(super) struct Claimed {
    /// Redis had us as a living worker.
    pub(super) was_known: bool,
    /// How many partitions to leave to others; negative if others have more.
    pub(super) surplus: i64,
    /// How many partitions are ours.
    pub(super) load: i64,
    /// Partitions and their epochs: new ones, or all.
    pub(super) partitions: Vec<(String, u64)>,
}

/// What was read of a partition.
pub(super) struct Read {
    /// Up to which id it had been read before, by whomever.
    pub(super) before: HandoutId,
    /// Group and payload, or none if something else was found there.
    pub(super) jobs: Vec<(HandoutId, Option<(String, Bytes)>)>,
}

/// What came of leaving a partition.
pub(super) enum LeaveOutcome {
    /// It is not empty, and stays ours.
    Stays,
    /// It is not ours any more.
    Gone,
}

pub(super) async fn claim(
    queue: &RedisQueue,
    worker: &str,
    whole: bool,
) -> Result<Claimed, QueueError> {
    let arguments = [worker, LIVES, if whole { "1" } else { "0" }, LANES];
    let answer = queue.link.run(CLAIM.call(&queue.keys.all, &arguments)).await?;
    let (known, surplus, load, partitions): (i64, i64, i64, Vec<(String, u64)>) = answer;
    Ok(Claimed { was_known: known == 1, surplus, load, partitions })
}

/// None if the partition is not ours any more.
pub(super) async fn read(
    queue: &RedisQueue,
    worker: &str,
    partition: &str,
    epoch: u64,
    next: HandoutId,
    wanted: usize,
) -> Result<Option<Read>, QueueError> {
    type Entries = Vec<(String, Vec<Vec<u8>>)>;
    let (epoch, next) = (epoch.to_string(), id(next));
    let wanted = at_most(wanted).to_string();
    let arguments = [epoch.as_str(), worker, REMEMBERED, &next, &wanted];
    let answer = queue.link.run(READ.call(&queue.keys.partition(partition), &arguments)).await?;
    let Some((before, entries)): Option<(String, Entries)> = answer else { return Ok(None) };
    let job = |(id, fields): (String, Vec<Vec<u8>>)| (handout(&id), job(fields));
    let jobs = entries.into_iter().map(job).collect();
    Ok(Some(Read { before: handout(&before), jobs }))
}

fn job(fields: Vec<Vec<u8>>) -> Option<(String, Bytes)> {
    let [group, group_text, payload, bytes]: [Vec<u8>; 4] = fields.try_into().ok()?;
    let known = group == b"group" && payload == b"payload";
    known.then_some((String::from_utf8(group_text).ok()?, bytes.into()))
}

/// How many jobs a read brings at most that wants so many.
pub(super) fn at_most(wanted: usize) -> usize {
    wanted.min(JOBS)
}

pub(super) async fn tell(
    queue: &RedisQueue,
    partition: &str,
    done: &[HandoutId],
) -> Result<(), QueueError> {
    let [jobs, _] = queue.keys.partition(partition);
    let ids: Vec<String> = done.iter().map(|handout| id(*handout)).collect();
    queue.link.call(cmd("XDEL").arg(jobs).arg(ids)).await
}

pub(super) async fn leave(
    queue: &RedisQueue,
    worker: &str,
    partition: &str,
    epoch: u64,
    if_empty: bool,
) -> Result<LeaveOutcome, QueueError> {
    let epoch = epoch.to_string();
    let arguments = [epoch.as_str(), REMEMBERED, if if_empty { "1" } else { "0" }];
    let left: String =
        queue.link.run(LEAVE.call(&queue.keys.partition(partition), &arguments)).await?;
    if left == "stays" {
        return Ok(LeaveOutcome::Stays);
    }
    let empty = if left == "empty" { "1" } else { "0" };
    let arguments = [worker, partition, &epoch, empty];
    let least: Vec<String> = queue.link.run(RELEASE.call(&queue.keys.all, &arguments)).await?;
    if left == "jobs" {
        for other in least.iter().filter(|other| *other != worker) {
            queue.wake(other, "").await;
        }
    }
    Ok(LeaveOutcome::Gone)
}

/// The id of a stream's entry: milliseconds and a number.
fn id(handout: HandoutId) -> String {
    format!("{}-{}", handout >> 64, handout as u64)
}

/// Zero, which is before all others, if it is no id.
fn handout(id: &str) -> HandoutId {
    let parts = id.split_once('-').and_then(|(ms, number)| {
        let (ms, number): (u64, u64) = (ms.parse().ok()?, number.parse().ok()?);
        Some(HandoutId::from(ms) << 64 | HandoutId::from(number))
    });
    parts.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_handouts_in_the_same_order() {
        let ids = ["0-0", "0-1", "1-0", "1764257585123-0", "1764257585123-18446744073709551615"];
        for pair in ids.windows(2) {
            assert!(handout(pair[0]) < handout(pair[1]));
        }
        for name in ids {
            assert_eq!(id(handout(name)), name);
        }
        assert_eq!(id(handout("7-18446744073709551615") + 1), "8-0");
    }
}

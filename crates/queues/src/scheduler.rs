//! The jobs that a worker has: those that wait to be handed out, and those in hand. Knows no server
//! and no clock; time is an argument.
//!
//! A job is handed out if its partition has room and less than `width` jobs in hand, and if no job of its
//! group is in hand. Partitions take turns.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Job, Room};

/// What the server calls a job, within its partition.
pub(crate) type HandoutId = u128;

/// How long a job that came back undone waits before it is handed out again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How many bytes may wait in all; beyond it, a partition gets a job only when it has none.
const MAX_BYTES: usize = 16 << 20;

/// A job, and what is known about it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) handout: HandoutId,
    pub(crate) job: Job,
    /// How often it was handed out before.
    pub(crate) before: u32,
}

#[derive(Debug, Default)]
struct HeldPartition {
    waiting: VecDeque<Held>,
    in_hand: HashMap<HandoutId, Held>,
    /// The groups of what is in hand.
    busy: HashSet<String>,
    /// Everything that is here: waiting, in hand, or done without the server's knowing it.
    known: HashSet<HandoutId>,
    /// Others have it now: what comes back undone is theirs.
    left: bool,
    turn: Scheduled,
}

/// Where a partition is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scheduled {
    /// Nowhere: nothing can be handed out before something changes.
    #[default]
    None,
    /// It has its turn.
    Next,
    /// It had no room when it had its turn.
    NoRoom,
}

/// See the module's comment. Belongs to one worker.
#[derive(Debug)]
pub(crate) struct Scheduler {
    partitions: HashMap<Arc<str>, HeldPartition>,
    turns: VecDeque<Arc<str>>,
    without_room: VecDeque<Arc<str>>,
    /// Came back undone; in the order of time.
    resting: VecDeque<(Instant, Arc<str>, HandoutId)>,
    /// Done, and to be told to the server.
    done: Vec<(Arc<str>, HandoutId)>,
    width: usize,
    ahead: usize,
    bytes: usize,
}

impl Scheduler {
    /// `width` jobs of a partition may be in hand at a time, and as many as `ahead` wait beside them, so that
    /// one busy group does not hold up the others.
    pub(crate) fn new((width, ahead): (usize, usize)) -> Self {
        Scheduler {
            partitions: HashMap::new(),
            turns: VecDeque::new(),
            without_room: VecDeque::new(),
            resting: VecDeque::new(),
            done: Vec::new(),
            width,
            ahead,
            bytes: 0,
        }
    }

    /// Puts a job behind the others of its partition. False if it is here already.
    pub(crate) fn put(&mut self, held: Held) -> bool {
        let name = match self.partitions.get_key_value(held.job.partition.as_str()) {
            Some((name, _)) => name.clone(),
            None => Arc::from(held.job.partition.as_str()),
        };
        let partition = self.partitions.entry(name.clone()).or_default();
        partition.left = false;
        let new = partition.known.insert(held.handout);
        if new {
            self.bytes += held.job.payload.len();
            partition.waiting.push_back(held);
            self.give_turn(&name);
        }
        new
    }

    /// The next job for which there is room. It is in hand then.
    pub(crate) fn take(&mut self, room: &dyn Room) -> Option<Held> {
        while let Some(name) = self.turns.pop_front() {
            let Some(partition) = self.partitions.get_mut(&name) else { continue };
            partition.turn = Scheduled::None;
            if partition.in_hand.len() >= self.width {
                continue;
            }
            let free = |held: &Held| !partition.busy.contains(&held.job.group);
            let Some(at) = partition.waiting.iter().position(free) else { continue };
            if room.room(&name) == 0 {
                partition.turn = Scheduled::NoRoom;
                self.without_room.push_back(name);
                continue;
            }
            let Some(held) = partition.waiting.remove(at) else { continue };
            partition.busy.insert(held.job.group.clone());
            partition.in_hand.insert(held.handout, held.clone());
            self.bytes -= held.job.payload.len();
            self.give_turn(&name);
            return Some(held);
        }
        None
    }

    /// A job is done.
    pub(crate) fn finish(&mut self, partition: &str, handout: HandoutId) {
        let Some((name, _)) = self.partitions.get_key_value(partition) else { return };
        let name = name.clone();
        let Some(partition) = self.partitions.get_mut(&name) else { return };
        if let Some(held) = partition.in_hand.remove(&handout) {
            partition.busy.remove(&held.job.group);
            self.done.push((name.clone(), handout));
            self.give_turn(&name);
        }
    }

    /// A job was in hand, and is not done. Its group waits for a moment.
    pub(crate) fn give_back(&mut self, partition: &str, handout: HandoutId, now: Instant) {
        let Some((name, known)) = self.partitions.get_key_value(partition) else { return };
        if known.left {
            self.let_go(partition, handout);
        } else {
            self.resting.push_back((now + RETRY_PAUSE, name.clone(), handout));
        }
    }

    /// Lets what came back be handed out again, and those partitions have their turn that had no room.
    pub(crate) fn look_again(&mut self, now: Instant) {
        while let Some((at, ..)) = self.resting.front() {
            if *at > now {
                break;
            }
            let Some((_, name, handout)) = self.resting.pop_front() else { break };
            let Some(partition) = self.partitions.get_mut(&name) else { continue };
            let Some(held) = partition.in_hand.remove(&handout) else { continue };
            partition.busy.remove(&held.job.group);
            self.bytes += held.job.payload.len();
            partition.waiting.push_front(Held { before: held.before.saturating_add(1), ..held });
            self.give_turn(&name);
        }
        for name in std::mem::take(&mut self.without_room) {
            if let Some(partition) = self.partitions.get_mut(&name)
                && partition.turn == Scheduled::NoRoom
            {
                partition.turn = Scheduled::None;
                self.give_turn(&name);
            }
        }
    }

    /// Whether [`look_again`](Self::look_again) may find something in a while.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.resting.is_empty() || !self.without_room.is_empty()
    }

    /// What is done, since this was asked last.
    pub(crate) fn take_done(&mut self) -> Vec<(Arc<str>, HandoutId)> {
        std::mem::take(&mut self.done)
    }

    /// The server knows that these are done, or has forgotten them by itself.
    pub(crate) fn forget(&mut self, partition: &str, handouts: &[HandoutId]) {
        if let Some(known) = self.partitions.get_mut(partition) {
            for handout in handouts {
                known.known.remove(handout);
            }
            self.drop_if_empty(partition);
        }
    }

    /// Lets go of what waits, for another worker; what is in hand stays there until it is settled.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "partitions of Redis only"))]
    pub(crate) fn leave(&mut self, partition: &str) {
        let Some(left) = self.partitions.get_mut(partition) else { return };
        left.left = true;
        for held in left.waiting.drain(..) {
            left.known.remove(&held.handout);
            self.bytes -= held.job.payload.len();
        }
        let (rests, others) = self.resting.drain(..).partition(|(_, name, _)| **name == *partition);
        self.resting = others;
        let rests: VecDeque<(Instant, Arc<str>, HandoutId)> = rests;
        for (.., handout) in rests {
            self.let_go(partition, handout);
        }
        self.drop_if_empty(partition);
    }

    /// How many more jobs of a partition should be brought.
    pub(crate) fn appetite(&self, partition: &str, room: &dyn Room) -> usize {
        let (waiting, _) = self.size(partition);
        self.space(partition).min(room.room(partition).saturating_sub(waiting))
    }

    /// How many more jobs of a partition may be here.
    pub(crate) fn space(&self, partition: &str) -> usize {
        let (waiting, in_hand) = self.size(partition);
        match self.bytes > MAX_BYTES {
            true => usize::from(waiting + in_hand == 0),
            false => (self.width + self.ahead).saturating_sub(waiting + in_hand),
        }
    }

    /// How many jobs of a partition wait, and how many are in hand.
    pub(crate) fn size(&self, partition: &str) -> (usize, usize) {
        self.partitions
            .get(partition)
            .map_or((0, 0), |partition| (partition.waiting.len(), partition.in_hand.len()))
    }

    /// Whether anything of a partition is here.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "partitions of Redis only"))]
    pub(crate) fn has(&self, partition: &str) -> bool {
        self.partitions.contains_key(partition)
    }

    fn let_go(&mut self, name: &str, handout: HandoutId) {
        if let Some(partition) = self.partitions.get_mut(name)
            && let Some(held) = partition.in_hand.remove(&handout)
        {
            partition.busy.remove(&held.job.group);
            partition.known.remove(&handout);
        }
        self.drop_if_empty(name);
    }

    fn give_turn(&mut self, name: &Arc<str>) {
        if let Some(partition) = self.partitions.get_mut(name)
            && partition.turn != Scheduled::Next
            && !partition.waiting.is_empty()
        {
            partition.turn = Scheduled::Next;
            self.turns.push_back(name.clone());
        }
    }

    fn drop_if_empty(&mut self, name: &str) {
        if self.partitions.get(name).is_some_and(|partition| partition.known.is_empty()) {
            self.partitions.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;

//! What a worker knows of its partitions. Knows no server and no clock; time is an argument.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::scheduler::HandoutId;

/// How often a partition is looked at that should be empty.
const LOOK: Duration = Duration::from_secs(5);
/// How long a partition is kept that is empty.
const EMPTY: Duration = Duration::from_secs(60);
/// How long a partition that others should have may take until nothing of it is in hand; after that it is
/// kept.
const LEAVE: Duration = Duration::from_secs(5);

/// One partition that is ours.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) epoch: u64,
    /// From which id on it has not been read.
    pub(super) next: HandoutId,
    /// Up to which id we have read it at some time.
    pub(super) read: HandoutId,
    /// A call for it is under way; there is one at a time.
    pub(super) calling: bool,
    looked: Instant,
    /// Since when there was nothing in it.
    empty_since: Instant,
    /// It is left when nothing of it is in hand, or kept if that takes longer than until then.
    leaving: Option<Instant>,
}

impl Partition {
    pub(super) fn leaving(&self) -> bool {
        self.leaving.is_some()
    }
}

/// All partitions of a worker.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    of: HashMap<Arc<str>, Partition>,
    /// May have more jobs than were read.
    unread: HashSet<Arc<str>>,
    /// The same, but there is no room for more.
    full: HashSet<Arc<str>>,
    leaving: HashSet<Arc<str>>,
}

impl Partitions {
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    pub(super) fn get(&mut self, partition: &str) -> Option<&mut Partition> {
        self.of.get_mut(partition)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.of.keys()
    }

    /// A partition is ours with this epoch. Nothing changes if it was before.
    pub(super) fn gain(&mut self, name: &str, epoch: u64, now: Instant) {
        if self.of.get(name).is_some_and(|partition| partition.epoch >= epoch) {
            return;
        }
        let name: Arc<str> = name.into();
        let partition = Partition {
            epoch,
            next: 0,
            read: 0,
            calling: false,
            looked: now,
            empty_since: now,
            leaving: None,
        };
        self.of.insert(name.clone(), partition);
        self.leaving.remove(&name);
        self.unread.insert(name);
    }

    /// A partition is not ours any more.
    pub(super) fn lose(&mut self, name: &str) {
        self.of.remove(name);
        self.unread.remove(name);
        self.full.remove(name);
        self.leaving.remove(name);
    }

    /// A partition may have more jobs.
    pub(super) fn has_more(&mut self, name: &str) {
        if let Some((name, _)) = self.of.get_key_value(name) {
            self.full.remove(name);
            self.unread.insert(name.clone());
        }
    }

    /// All partitions may have more jobs.
    pub(super) fn all_have_more(&mut self) {
        self.full.clear();
        self.unread.extend(self.of.keys().cloned());
    }

    /// There may be room again for partitions that had none.
    pub(super) fn look_for_room(&mut self) {
        self.unread.extend(self.full.drain());
    }

    /// Whether a partition has no room.
    pub(super) fn is_any_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// At most so many partitions to be read now, and how much of them.
    pub(super) fn begin_to_read(
        &mut self,
        most: usize,
        now: Instant,
        appetite: impl Fn(&str) -> usize,
    ) -> Vec<(Arc<str>, usize)> {
        let (mut chosen, mut not_now) = (Vec::new(), Vec::new());
        for name in &self.unread {
            if chosen.len() == most {
                break;
            }
            let Some(partition) = self.of.get(name) else { continue };
            if partition.calling || partition.leaving.is_some() {
                continue;
            }
            match appetite(name) {
                // Whoever does not look for too long is held for gone.
                0 if now - partition.looked < LOOK => not_now.push(name.clone()),
                wanted => chosen.push((name.clone(), wanted)),
            }
        }
        self.full.extend(not_now);
        for name in &self.full {
            self.unread.remove(name);
        }
        for (name, _) in &chosen {
            self.unread.remove(name);
            if let Some(partition) = self.of.get_mut(name) {
                partition.calling = true;
                partition.looked = now;
            }
        }
        chosen
    }

    /// A partition was read, up to this id if there was anything; there is `more` of it.
    pub(super) fn was_read(
        &mut self,
        name: &str,
        last: Option<HandoutId>,
        more: bool,
        now: Instant,
    ) {
        let Some((name, _)) = self.of.get_key_value(name) else { return };
        let name = name.clone();
        let Some(partition) = self.of.get_mut(&name) else { return };
        partition.calling = false;
        if let Some(last) = last {
            partition.next = last + 1;
            partition.read = partition.read.max(last);
            partition.empty_since = now;
        }
        if more {
            self.unread.insert(name);
        }
    }

    /// From time to time: partitions that should be looked at have more, maybe; those are kept that should
    /// have been left long ago; and those are returned that have been empty for long.
    pub(super) fn look_round(&mut self, now: Instant) -> Vec<Arc<str>> {
        let mut empty = Vec::new();
        for (name, partition) in &mut self.of {
            if partition.leaving.is_some_and(|until| until <= now) && !partition.calling {
                partition.leaving = None;
                self.leaving.remove(name);
                // What waited was let go of.
                partition.next = 0;
                self.unread.insert(name.clone());
            }
            if now - partition.looked >= LOOK {
                self.full.remove(name);
                self.unread.insert(name.clone());
            }
            if now - partition.empty_since >= EMPTY && !partition.calling {
                empty.push(name.clone());
            }
        }
        empty
    }

    /// Chooses up to so many partitions that others should have, counting those that were chosen before:
    /// first those of which little is in hand. Nothing more of them is handed out.
    pub(super) fn choose_to_leave(
        &mut self,
        wanted: usize,
        now: Instant,
        in_hand: impl Fn(&str) -> usize,
    ) -> Vec<Arc<str>> {
        let wanted = wanted.saturating_sub(self.leaving.len());
        let here = self.of.iter().filter(|(_, partition)| partition.leaving.is_none());
        let mut here: Vec<_> = here.map(|(name, _)| (in_hand(name), name.clone())).collect();
        here.sort();
        here.truncate(wanted);
        let chosen: Vec<_> = here.into_iter().map(|(_, name)| name).collect();
        for name in &chosen {
            if let Some(partition) = self.of.get_mut(name) {
                partition.leaving = Some(now + LEAVE);
                self.leaving.insert(name.clone());
            }
        }
        chosen
    }

    /// Partitions that can be left now, since nothing of them is here.
    pub(super) fn to_leave(&self, is_here: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        let ready = |name: &&Arc<str>| {
            let calling = self.of.get(*name).is_none_or(|partition| partition.calling);
            !calling && !is_here(name)
        };
        self.leaving.iter().filter(ready).cloned().collect()
    }
}

#[cfg(test)]
mod tests;

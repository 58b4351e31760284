//! The jobs that a worker has: those that wait to be handed out, and those in hand. Knows no server
//! and no clock; time is an argument.
//!
//! A job is handed out if its lane has room and less than `width` jobs in hand, and if no job of its
//! group is in hand. Lanes take turns.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Job, Room};

/// What the server calls a job, within its lane.
pub(crate) type Ticket = u128;

/// How long a job that came back undone waits before it is handed out again.
const REST: Duration = Duration::from_secs(1);
/// How many bytes may wait in all; beyond it, a lane gets a job only when it has none.
const MAX_BYTES: usize = 16 << 20;

/// A job, and what is known about it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) ticket: Ticket,
    pub(crate) job: Job,
    /// How often it was handed out before.
    pub(crate) before: u32,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Held>,
    in_hand: HashMap<Ticket, Held>,
    /// The groups of what is in hand.
    busy: HashSet<String>,
    /// Everything that is here: waiting, in hand, or done without the server's knowing it.
    known: HashSet<Ticket>,
    /// Others have it now: what comes back undone is theirs.
    left: bool,
    turn: Turn,
}

/// Where a lane is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
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
pub(crate) struct Shelf {
    lanes: HashMap<Arc<str>, Lane>,
    turns: VecDeque<Arc<str>>,
    without_room: VecDeque<Arc<str>>,
    /// Came back undone; in the order of time.
    resting: VecDeque<(Instant, Arc<str>, Ticket)>,
    /// Done, and to be told to the server.
    done: Vec<(Arc<str>, Ticket)>,
    width: usize,
    ahead: usize,
    bytes: usize,
}

impl Shelf {
    /// `width` jobs of a lane may be in hand at a time, and as many as `ahead` wait beside them, so that
    /// one busy group does not hold up the others.
    pub(crate) fn new((width, ahead): (usize, usize)) -> Self {
        Shelf {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            without_room: VecDeque::new(),
            resting: VecDeque::new(),
            done: Vec::new(),
            width,
            ahead,
            bytes: 0,
        }
    }

    /// Puts a job behind the others of its lane. False if it is here already.
    pub(crate) fn put(&mut self, held: Held) -> bool {
        let name = match self.lanes.get_key_value(held.job.lane.as_str()) {
            Some((name, _)) => name.clone(),
            None => Arc::from(held.job.lane.as_str()),
        };
        let lane = self.lanes.entry(name.clone()).or_default();
        lane.left = false;
        let new = lane.known.insert(held.ticket);
        if new {
            self.bytes += held.job.payload.len();
            lane.waiting.push_back(held);
            self.give_turn(&name);
        }
        new
    }

    /// The next job for which there is room. It is in hand then.
    pub(crate) fn take(&mut self, room: &dyn Room) -> Option<Held> {
        while let Some(name) = self.turns.pop_front() {
            let Some(lane) = self.lanes.get_mut(&name) else { continue };
            lane.turn = Turn::None;
            if lane.in_hand.len() >= self.width {
                continue;
            }
            let free = |held: &Held| !lane.busy.contains(&held.job.group);
            let Some(at) = lane.waiting.iter().position(free) else { continue };
            if room.room(&name) == 0 {
                lane.turn = Turn::NoRoom;
                self.without_room.push_back(name);
                continue;
            }
            let Some(held) = lane.waiting.remove(at) else { continue };
            lane.busy.insert(held.job.group.clone());
            lane.in_hand.insert(held.ticket, held.clone());
            self.bytes -= held.job.payload.len();
            self.give_turn(&name);
            return Some(held);
        }
        None
    }

    /// A job is done.
    pub(crate) fn finish(&mut self, lane: &str, ticket: Ticket) {
        let Some((name, _)) = self.lanes.get_key_value(lane) else { return };
        let name = name.clone();
        let Some(lane) = self.lanes.get_mut(&name) else { return };
        if let Some(held) = lane.in_hand.remove(&ticket) {
            lane.busy.remove(&held.job.group);
            self.done.push((name.clone(), ticket));
            self.give_turn(&name);
        }
    }

    /// A job was in hand, and is not done. Its group waits for a moment.
    pub(crate) fn give_back(&mut self, lane: &str, ticket: Ticket, now: Instant) {
        let Some((name, known)) = self.lanes.get_key_value(lane) else { return };
        if known.left {
            self.let_go(lane, ticket);
        } else {
            self.resting.push_back((now + REST, name.clone(), ticket));
        }
    }

    /// Lets what came back be handed out again, and those lanes have their turn that had no room.
    pub(crate) fn look_again(&mut self, now: Instant) {
        while let Some((at, ..)) = self.resting.front() {
            if *at > now {
                break;
            }
            let Some((_, name, ticket)) = self.resting.pop_front() else { break };
            let Some(lane) = self.lanes.get_mut(&name) else { continue };
            let Some(held) = lane.in_hand.remove(&ticket) else { continue };
            lane.busy.remove(&held.job.group);
            self.bytes += held.job.payload.len();
            lane.waiting.push_front(Held { before: held.before.saturating_add(1), ..held });
            self.give_turn(&name);
        }
        for name in std::mem::take(&mut self.without_room) {
            if let Some(lane) = self.lanes.get_mut(&name)
                && lane.turn == Turn::NoRoom
            {
                lane.turn = Turn::None;
                self.give_turn(&name);
            }
        }
    }

    /// Whether [`look_again`](Self::look_again) may find something in a while.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.resting.is_empty() || !self.without_room.is_empty()
    }

    /// What is done, since this was asked last.
    pub(crate) fn take_done(&mut self) -> Vec<(Arc<str>, Ticket)> {
        std::mem::take(&mut self.done)
    }

    /// The server knows that these are done, or has forgotten them by itself.
    pub(crate) fn forget(&mut self, lane: &str, tickets: &[Ticket]) {
        if let Some(known) = self.lanes.get_mut(lane) {
            for ticket in tickets {
                known.known.remove(ticket);
            }
            self.drop_if_empty(lane);
        }
    }

    /// Lets go of what waits, for another worker; what is in hand stays there until it is settled.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "lanes of Redis only"))]
    pub(crate) fn leave(&mut self, lane: &str) {
        let Some(left) = self.lanes.get_mut(lane) else { return };
        left.left = true;
        for held in left.waiting.drain(..) {
            left.known.remove(&held.ticket);
            self.bytes -= held.job.payload.len();
        }
        let (rests, others) = self.resting.drain(..).partition(|(_, name, _)| **name == *lane);
        self.resting = others;
        let rests: VecDeque<(Instant, Arc<str>, Ticket)> = rests;
        for (.., ticket) in rests {
            self.let_go(lane, ticket);
        }
        self.drop_if_empty(lane);
    }

    /// How many more jobs of a lane should be brought.
    pub(crate) fn appetite(&self, lane: &str, room: &dyn Room) -> usize {
        let (waiting, _) = self.size(lane);
        self.space(lane).min(room.room(lane).saturating_sub(waiting))
    }

    /// How many more jobs of a lane may be here.
    pub(crate) fn space(&self, lane: &str) -> usize {
        let (waiting, in_hand) = self.size(lane);
        match self.bytes > MAX_BYTES {
            true => usize::from(waiting + in_hand == 0),
            false => (self.width + self.ahead).saturating_sub(waiting + in_hand),
        }
    }

    /// How many jobs of a lane wait, and how many are in hand.
    pub(crate) fn size(&self, lane: &str) -> (usize, usize) {
        self.lanes.get(lane).map_or((0, 0), |lane| (lane.waiting.len(), lane.in_hand.len()))
    }

    /// Whether anything of a lane is here.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "lanes of Redis only"))]
    pub(crate) fn has(&self, lane: &str) -> bool {
        self.lanes.contains_key(lane)
    }

    fn let_go(&mut self, name: &str, ticket: Ticket) {
        if let Some(lane) = self.lanes.get_mut(name)
            && let Some(held) = lane.in_hand.remove(&ticket)
        {
            lane.busy.remove(&held.job.group);
            lane.known.remove(&ticket);
        }
        self.drop_if_empty(name);
    }

    fn give_turn(&mut self, name: &Arc<str>) {
        if let Some(lane) = self.lanes.get_mut(name)
            && lane.turn != Turn::Next
            && !lane.waiting.is_empty()
        {
            lane.turn = Turn::Next;
            self.turns.push_back(name.clone());
        }
    }

    fn drop_if_empty(&mut self, name: &str) {
        if self.lanes.get(name).is_some_and(|lane| lane.known.is_empty()) {
            self.lanes.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;

//! One coarse timing wheel per shard: deadlines in whole seconds, one per connection, and nothing
//! for the operating system or the runtime to keep.

use super::connection::Connections;

/// The furthest deadline, in seconds. What is later is looked at once more on the way.
const SLOTS: usize = 256;

/// Where a connection's deadline is in the wheel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimerPosition {
    slot: u16,
    place: u32,
}

/// Deadlines of one shard's connections, by their index.
pub(crate) struct Wheel {
    slots: Vec<Vec<u32>>,
    now: u32,
}

impl Default for Wheel {
    fn default() -> Self {
        Wheel { slots: vec![Vec::new(); SLOTS], now: 0 }
    }
}

impl Wheel {
    /// Seconds since the shard started.
    pub(crate) fn now(&self) -> u32 {
        self.now
    }

    /// How many deadlines are set.
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }

    /// Sets a connection's deadline to `at`; it must have none.
    pub(crate) fn set(&mut self, connections: &mut Connections, index: u32, at: u32) {
        let ahead = at.saturating_sub(self.now).clamp(1, SLOTS as u32 - 1);
        let slot = (self.now + ahead) as usize % SLOTS;
        if let Some(connection) = connections.get_mut(index as usize) {
            let place = self.slots[slot].len() as u32;
            connection.timer = TimerPosition { slot: slot as u16, place };
            self.slots[slot].push(index);
        }
    }

    /// Takes a connection's deadline out.
    pub(crate) fn clear(&mut self, connections: &mut Connections, at: TimerPosition) {
        let slot = &mut self.slots[usize::from(at.slot)];
        slot.swap_remove(at.place as usize);
        if let Some(&moved) = slot.get(at.place as usize)
            && let Some(connection) = connections.get_mut(moved as usize)
        {
            connection.timer = at;
        }
    }

    /// One second later: the connections whose deadline has come; they have none any more.
    pub(crate) fn tick(&mut self) -> Vec<u32> {
        self.now += 1;
        std::mem::take(&mut self.slots[self.now as usize % SLOTS])
    }
}

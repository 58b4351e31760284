//! Which slots are taken.

use std::collections::BTreeSet;

use crate::Slot;

/// The slots of peers that are up, and of those that are down and not yet forgotten.
#[derive(Default)]
pub(crate) struct Slots {
    taken: BTreeSet<u16>,
}

impl Slots {
    /// Takes the lowest free slot; `None` if all 65535 are taken.
    pub(crate) fn take(&mut self) -> Option<Slot> {
        let free = (1..=u16::MAX).zip(&self.taken).find(|(slot, taken)| slot != *taken);
        let slot = match free {
            Some((slot, _)) => slot,
            None => u16::try_from(self.taken.len() + 1).ok()?,
        };
        self.taken.insert(slot);
        Some(Slot(slot))
    }

    /// Gives a slot back.
    pub(crate) fn release(&mut self, slot: Slot) {
        self.taken.remove(&slot.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_slot_is_next() {
        let mut slots = Slots::default();
        assert_eq!([1, 2, 3].map(Slot).map(Some), [(); 3].map(|()| slots.take()));
        slots.release(Slot(2));
        assert_eq!(slots.take(), Some(Slot(2)));
        slots.release(Slot(1));
        slots.release(Slot(3));
        assert_eq!(slots.take(), Some(Slot(1)));
        assert_eq!(slots.take(), Some(Slot(3)));
    }

    #[test]
    fn slots_run_out() {
        let mut slots = Slots { taken: (1..=u16::MAX).collect() };
        assert_eq!(slots.take(), None);
        slots.release(Slot(u16::MAX));
        assert_eq!(slots.take(), Some(Slot(u16::MAX)));
    }
}

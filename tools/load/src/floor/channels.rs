//! Who is subscribed to what, and, when coalescing, what waits to be sent to them. It must not
//! know sockets: a connection is a number here.

use slab::Slab;
use std::collections::HashMap;

/// All channels that have a subscriber.
#[derive(Default)]
pub(super) struct FloorChannels {
    numbers: HashMap<Box<[u8]>, usize>,
    channels: Slab<FloorChannel>,
    dirty: Vec<usize>,
}

struct FloorChannel {
    name: Box<[u8]>,
    subscribers: Vec<usize>,
    pending: Vec<u8>,
}

impl FloorChannels {
    /// The channel called `name`, if anybody is subscribed to it.
    pub(super) fn get(&self, name: &[u8]) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// Adds a subscriber; returns the channel.
    pub(super) fn join(&mut self, name: &[u8], subscriber: usize) -> usize {
        let number = self.get(name).unwrap_or_else(|| {
            let name: Box<[u8]> = name.into();
            let (subscribers, pending) = (Vec::new(), Vec::new());
            let number =
                self.channels.insert(FloorChannel { name: name.clone(), subscribers, pending });
            self.numbers.insert(name, number);
            number
        });
        self.channels[number].subscribers.push(subscriber);
        number
    }

    /// Removes a subscriber, and the channel with its last one.
    pub(super) fn leave(&mut self, number: usize, subscriber: usize) {
        let Some(channel) = self.channels.get_mut(number) else { return };
        if let Some(at) = channel.subscribers.iter().position(|other| *other == subscriber) {
            channel.subscribers.swap_remove(at);
        }
        if channel.subscribers.is_empty() {
            self.numbers.remove(&self.channels.remove(number).name);
        }
    }

    /// The subscribers of a channel.
    pub(super) fn subscribers(&self, number: usize) -> &[usize] {
        &self.channels[number].subscribers
    }

    /// Lets `push` append to what a channel is to be sent; returns what it returns.
    pub(super) fn collect(
        &mut self,
        number: usize,
        push: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> bool {
        let pending = &mut self.channels[number].pending;
        let clean = pending.is_empty();
        let pushed = push(pending);
        if clean && pushed {
            self.dirty.push(number);
        }
        pushed
    }

    /// The channels that something was collected for.
    pub(super) fn take_dirty(&mut self) -> Vec<usize> {
        let mut dirty = std::mem::take(&mut self.dirty);
        // Its last subscriber may have left, and another channel taken its number, since.
        dirty.retain(|number| {
            self.channels.get(*number).is_some_and(|channel| !channel.pending.is_empty())
        });
        dirty
    }

    /// What was collected for a channel, and whom to send it to.
    pub(super) fn pending(&self, number: usize) -> (&[u8], &[usize]) {
        let channel = &self.channels[number];
        (&channel.pending, &channel.subscribers)
    }

    /// Forgets what was collected for a channel.
    pub(super) fn sent(&mut self, number: usize) {
        self.channels[number].pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_lives_while_it_has_subscribers() {
        let mut channels = FloorChannels::default();
        let a = channels.join(b"a", 1);
        assert_eq!(channels.join(b"a", 2), a);
        assert_ne!(channels.join(b"b", 1), a);
        assert!(channels.collect(a, |pending| {
            pending.push(7);
            true
        }));
        assert_eq!(channels.pending(a), ([7].as_slice(), [1, 2].as_slice()));

        channels.leave(a, 1);
        assert_eq!(channels.subscribers(a), [2]);
        channels.leave(a, 2);
        assert_eq!((channels.get(b"a"), channels.take_dirty()), (None, vec![]));
    }
}

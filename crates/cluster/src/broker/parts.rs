//! Packets that are longer than what the broker takes go in parts.
//!
//! Nothing is repeated here: a packet of which a part is missing is dropped when the sender's next
//! one comes, or after a while, and its link asks for the entries again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::message::{PART_HEAD, Part};
use crate::{Incarnation, MAX_PACKET};

/// The least that a part has to carry, in bytes, so that a packet is not cut into dust.
const LEAST: usize = 64;

/// The least that a broker has to take in one message, in bytes.
pub(super) const LEAST_MESSAGE: usize = PART_HEAD + LEAST;

/// Cuts a message of ours, which is `id`, into parts of at most `max` bytes each; none if `max` is
/// less than [`LEAST_MESSAGE`].
pub(super) fn cut(
    from: Incarnation,
    id: u64,
    message: &Bytes,
    max: usize,
) -> Option<impl Iterator<Item = Bytes>> {
    let each = max.checked_sub(PART_HEAD).filter(|each| *each >= LEAST)?;
    // A message has less than 4 Gi bytes, and so many parts at most.
    let count = message.len().div_ceil(each) as u32;
    Some((0..count).map(move |index| {
        let begin = index as usize * each;
        let bytes = message.slice(begin..message.len().min(begin + each));
        Part { from, id, index, count, bytes }.encode()
    }))
}

/// Puts together what comes in parts: for each sender the newest packet only.
#[derive(Default)]
pub(super) struct Parts(BTreeMap<Incarnation, Assembly>);

struct Assembly {
    id: u64,
    count: u32,
    parts: BTreeMap<u32, Bytes>,
    bytes: usize,
    touched: Instant,
}

impl Assembly {
    fn new(part: &Part) -> Self {
        Assembly {
            id: part.id,
            count: part.count,
            parts: BTreeMap::new(),
            bytes: 0,
            touched: Instant::now(),
        }
    }

    /// Whether the part belongs here.
    fn add(&mut self, part: Part) -> bool {
        let room = MAX_PACKET.saturating_sub(self.bytes);
        let dust = part.bytes.is_empty() || part.count as usize > MAX_PACKET / LEAST;
        if part.count != self.count || part.bytes.len() > room || dust {
            return false;
        }
        self.touched = Instant::now();
        // One that comes again is the same, and a longer one must not get around the bound.
        if let Entry::Vacant(vacant) = self.parts.entry(part.index) {
            self.bytes += part.bytes.len();
            vacant.insert(part.bytes);
        }
        true
    }
}

impl Parts {
    /// Whether something from this sender is waiting for more.
    pub(super) fn knows(&self, from: Incarnation) -> bool {
        self.0.contains_key(&from)
    }

    /// Takes a part in, and gives the whole message if it was the last one that was missing.
    pub(super) fn take(&mut self, part: Part) -> Option<Bytes> {
        let (from, id) = (part.from, part.id);
        let assembly = self.0.entry(from).or_insert_with(|| Assembly::new(&part));
        if assembly.id > id {
            return None; // A newer packet has begun.
        }
        if assembly.id < id {
            *assembly = Assembly::new(&part);
        }
        if !assembly.add(part) {
            self.0.remove(&from);
            return None;
        }
        if assembly.parts.len() < assembly.count as usize {
            return None;
        }
        let assembly = self.0.remove(&from)?;
        let parts: Vec<Bytes> = assembly.parts.into_values().collect();
        Some(parts.concat().into())
    }

    /// How many bytes are kept.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        let each = self.0.values().map(|assembly| {
            let held: usize = assembly.parts.values().map(Bytes::len).sum();
            assert_eq!(assembly.bytes, held, "bytes that are kept are counted");
            held
        });
        each.sum()
    }

    /// Drops what has been waiting for longer than `age`.
    pub(super) fn expire(&mut self, age: Duration) {
        self.0.retain(|_, assembly| assembly.touched.elapsed() < age);
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::BrokerMessage;
    use super::*;

    const FROM: Incarnation = Incarnation(5);

    fn message(len: usize) -> Bytes {
        (0..len).map(|n| n as u8).collect::<Vec<_>>().into()
    }

    fn parts(id: u64, len: usize, max: usize) -> Vec<Part> {
        let parts: Vec<Bytes> = cut(FROM, id, &message(len), max).unwrap().collect();
        assert!(parts.iter().all(|part| part.len() <= max));
        let decode = |part| match BrokerMessage::decode(part) {
            Some(BrokerMessage::Part(part)) => part,
            other => panic!("not a part: {other:?}"),
        };
        parts.into_iter().map(decode).collect()
    }

    fn assemble(parts: &mut Parts, all: impl IntoIterator<Item = Part>) -> Vec<Bytes> {
        all.into_iter().filter_map(|part| parts.take(part)).collect()
    }

    #[test]
    fn a_long_message_is_cut_and_put_together_again() {
        for (len, count) in [(1, 1), (100, 1), (101, 2), (200, 2), (1000, 10), (1001, 11)] {
            let cut = parts(1, len, 100 + PART_HEAD);
            assert_eq!(cut.len(), count);
            assert_eq!(assemble(&mut Parts::default(), cut), [message(len)]);
        }
        assert!(cut(FROM, 1, &message(1000), LEAST_MESSAGE).is_some());
        assert!(cut(FROM, 1, &message(1000), LEAST_MESSAGE - 1).is_none());
    }

    #[test]
    fn parts_may_come_in_any_order_and_twice() {
        let cut = parts(1, 1000, 200);
        let doubled = cut.iter().rev().chain(&cut[..3]).cloned();
        let mut together = Parts::default();
        assert_eq!(assemble(&mut together, doubled), [message(1000)]);
        together.expire(Duration::ZERO);
        assert!(!together.knows(FROM));
    }

    #[test]
    fn a_missing_part_drops_the_whole_and_nothing_else() {
        let mut together = Parts::default();
        let (first, second) = (parts(1, 1000, 200), parts(2, 900, 200));
        assert_eq!(assemble(&mut together, first[1..].iter().cloned()), [] as [Bytes; 0]);
        assert_eq!(assemble(&mut together, second[..1].iter().cloned()), [] as [Bytes; 0]);
        assert_eq!(assemble(&mut together, first[..1].iter().cloned()), [] as [Bytes; 0]);
        assert_eq!(assemble(&mut together, second[1..].iter().cloned()), [message(900)]);
        assert!(!together.knows(FROM));
    }

    #[test]
    fn parts_that_do_not_fit_drop_the_whole() {
        let mut together = Parts::default();
        let cut = parts(1, 1000, 200);
        let dust = Part { count: u32::MAX, ..cut[0].clone() };
        assert_eq!(together.take(dust), None);
        assert!(!together.knows(FROM));
        let other = Part { count: 99, ..cut[1].clone() };
        assert_eq!(together.take(cut[0].clone()), None);
        assert_eq!(together.take(other), None);
        assert!(!together.knows(FROM));

        let long: Bytes = vec![0; MAX_PACKET / 2].into();
        let endless = |index| Part { from: FROM, id: 2, index, count: 9, bytes: long.clone() };
        assert_eq!(assemble(&mut together, (0..2).map(endless)), [] as [Bytes; 0]);
        assert!(together.knows(FROM));
        assert_eq!(together.take(endless(2)), None);
        assert!(!together.knows(FROM));
    }

    #[test]
    fn a_part_that_comes_again_takes_no_more_room() {
        let mut together = Parts::default();
        let part = |index, len| Part { from: FROM, id: 1, index, count: 9, bytes: message(len) };
        let long = MAX_PACKET / 2;
        for index in 0..3 {
            assert_eq!(together.take(part(index, 1)), None);
            assert_eq!(together.take(part(index, long)), None);
        }
        assert_eq!(together.held(), 3);
    }
}

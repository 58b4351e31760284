//! Counts deliveries exactly: which event reached which subscriber, in order, once. It must not
//! know sockets. An event is one publisher's `sequence`th, counted modulo `cycle`; a server keeps one
//! publisher's order (W38), so each subscriber's next number per publisher is known beforehand.

use std::time::Instant;

/// Sequence numbers fit into this many, so that an id is `publisher * STRIDE + sequence`.
const STRIDE: u32 = 100_000;

/// The tallies of one run.
pub(super) struct Deliveries {
    subscribers: usize,
    publishers: usize,
    cycle: usize,
    /// Next sequence number, by subscriber and publisher.
    next: Vec<u32>,
    /// Events by publisher and sequence number.
    events: Vec<DeliveredEvent>,
    /// Deliveries received, repeated ones included.
    pub(super) received: usize,
    /// Deliveries that came a second time, or late and out of order.
    pub(super) repeated: usize,
    /// Deliveries that were skipped over.
    pub(super) skipped: usize,
}

#[derive(Clone)]
struct DeliveredEvent {
    missing: usize,
    sent: Instant,
}

impl Deliveries {
    /// No event yet. `cycle` is at least twice what a publisher ever has in flight.
    pub(super) fn new(subscribers: usize, publishers: usize, cycle: usize) -> Self {
        let unsent = DeliveredEvent { missing: 0, sent: Instant::now() };
        Self {
            subscribers,
            publishers,
            cycle,
            next: vec![0; subscribers * publishers],
            events: vec![unsent; publishers * cycle],
            received: 0,
            repeated: 0,
            skipped: 0,
        }
    }

    /// The id that an event carries.
    pub(super) fn id(publisher: usize, sequence: usize) -> u32 {
        (publisher as u32) * STRIDE + sequence as u32
    }

    /// True if the publisher's `number`th event may be sent: the one a cycle before has arrived.
    pub(super) fn is_free(&self, publisher: usize, number: usize) -> bool {
        self.events[publisher * self.cycle + number % self.cycle].missing == 0
    }

    /// When the event that carries `id` was last sent, `None` if there is no such event.
    pub(super) fn sent_at(&self, id: u32) -> Option<Instant> {
        let (publisher, sequence) = self.parts(id)?;
        Some(self.events[publisher * self.cycle + sequence].sent)
    }

    /// Notes that the publisher's `number`th event has gone out (or should have) at `sent`.
    pub(super) fn sent(&mut self, publisher: usize, number: usize, sent: Instant) {
        let missing = self.subscribers;
        self.events[publisher * self.cycle + number % self.cycle] =
            DeliveredEvent { missing, sent };
    }

    /// Counts a delivery. Returns the publisher of an event that has now reached everybody.
    pub(super) fn record(&mut self, subscriber: usize, id: u32) -> Option<usize> {
        let (publisher, sequence) = self.parts(id)?;
        self.received += 1;
        let next = &mut self.next[subscriber * self.publishers + publisher];
        let ahead = (sequence + self.cycle - *next as usize) % self.cycle;
        if ahead < self.cycle / 2 {
            self.skipped += ahead;
            *next = ((sequence + 1) % self.cycle) as u32;
        } else {
            self.repeated += 1;
        }
        let event = &mut self.events[publisher * self.cycle + sequence];
        event.missing = event.missing.checked_sub(1)?;
        (event.missing == 0).then_some(publisher)
    }

    /// Publisher and sequence number of the event that carries `id`, if there is one.
    fn parts(&self, id: u32) -> Option<(usize, usize)> {
        let (publisher, sequence) = ((id / STRIDE) as usize, (id % STRIDE) as usize);
        (publisher < self.publishers && sequence < self.cycle).then_some((publisher, sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_repeats_and_disorder_are_told_apart() {
        let now = Instant::now();
        let mut tally = Deliveries::new(2, 2, 8);
        for number in 0..4 {
            tally.sent(1, number, now);
        }
        let id = |sequence| Deliveries::id(1, sequence);
        assert_eq!(tally.record(0, id(0)), None);
        assert!(!tally.is_free(1, 0) && tally.is_free(0, 0));
        assert_eq!(tally.record(1, id(0)), Some(1));
        assert!(tally.is_free(1, 8));

        assert_eq!((tally.repeated, tally.skipped), (0, 0));
        tally.record(0, id(0));
        assert_eq!((tally.repeated, tally.skipped), (1, 0));
        tally.record(0, id(3));
        assert_eq!((tally.repeated, tally.skipped), (1, 2));
        tally.record(0, id(2));
        assert_eq!((tally.repeated, tally.skipped, tally.received), (2, 2, 5));

        let elsewhere = [Deliveries::id(2, 0), Deliveries::id(0, 8), 99_999_999];
        assert!(elsewhere.iter().all(|id| tally.record(0, *id).is_none()));
        assert_eq!(tally.received, 5);
    }

    #[test]
    fn sequence_numbers_go_round() {
        let now = Instant::now();
        let mut tally = Deliveries::new(1, 1, 4);
        for number in 0..100 {
            assert!(tally.is_free(0, number));
            tally.sent(0, number, now);
            assert_eq!(tally.record(0, Deliveries::id(0, number % 4)), Some(0));
        }
        assert_eq!((tally.received, tally.repeated, tally.skipped), (100, 0, 0));
    }
}

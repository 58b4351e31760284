//! Counts deliveries exactly: which event reached which subscriber, in order, once. It must not
//! know sockets. An event is one lane's `sequence`th, counted modulo `cycle`; a server keeps one
//! publisher's order (W38), so each subscriber's next number per lane is known beforehand.

use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Sequence numbers fit into this many, so that an id is `lane * STRIDE + sequence`.
const STRIDE: u32 = 100_000;

/// The tallies of one run.
pub(crate) struct Deliveries {
    subscribers: usize,
    lanes: usize,
    cycle: usize,
    /// Next sequence number, by subscriber and lane.
    next: Vec<u32>,
    /// Events by lane and sequence number.
    events: Vec<Event>,
    /// Deliveries received, repeated ones included.
    pub(crate) received: usize,
    /// Deliveries that came a second time, or late and out of order.
    pub(crate) repeated: usize,
    /// Deliveries that were skipped over.
    pub(crate) skipped: usize,
    /// From the (intended) sending to each delivery, in microseconds.
    pub(crate) latency: Histogram<u64>,
}

#[derive(Clone)]
struct Event {
    missing: usize,
    sent: Instant,
}

impl Deliveries {
    /// No event yet. `cycle` is at least twice what a lane ever has in flight.
    pub(crate) fn new(subscribers: usize, lanes: usize, cycle: usize) -> Self {
        let unsent = Event { missing: 0, sent: Instant::now() };
        Self {
            subscribers,
            lanes,
            cycle,
            next: vec![0; subscribers * lanes],
            events: vec![unsent; lanes * cycle],
            received: 0,
            repeated: 0,
            skipped: 0,
            latency: histogram(),
        }
    }

    /// The id that an event carries.
    pub(crate) fn id(lane: usize, sequence: usize) -> u32 {
        (lane as u32) * STRIDE + sequence as u32
    }

    /// True if the lane's `number`th event may be sent: the one a cycle before has arrived.
    pub(crate) fn is_free(&self, lane: usize, number: usize) -> bool {
        self.events[lane * self.cycle + number % self.cycle].missing == 0
    }

    /// When the lane's `number`th event was sent.
    pub(crate) fn sent_at(&self, lane: usize, number: usize) -> Instant {
        self.events[lane * self.cycle + number % self.cycle].sent
    }

    /// Notes that the lane's `number`th event has gone out (or should have) at `sent`.
    pub(crate) fn sent(&mut self, lane: usize, number: usize, sent: Instant) {
        let missing = self.subscribers;
        self.events[lane * self.cycle + number % self.cycle] = Event { missing, sent };
    }

    /// Counts a delivery. Returns the lane of an event that has now reached everybody.
    pub(crate) fn record(&mut self, subscriber: usize, id: u32, now: Instant) -> Option<usize> {
        let (lane, sequence) = ((id / STRIDE) as usize, (id % STRIDE) as usize);
        if lane >= self.lanes || sequence >= self.cycle {
            return None;
        }
        self.received += 1;
        let next = &mut self.next[subscriber * self.lanes + lane];
        let ahead = (sequence + self.cycle - *next as usize) % self.cycle;
        if ahead < self.cycle / 2 {
            self.skipped += ahead;
            *next = ((sequence + 1) % self.cycle) as u32;
        } else {
            self.repeated += 1;
        }
        let event = &mut self.events[lane * self.cycle + sequence];
        let latency = now.saturating_duration_since(event.sent);
        self.latency.saturating_record(micros(latency));
        event.missing = event.missing.checked_sub(1)?;
        (event.missing == 0).then_some(lane)
    }
}

/// An empty histogram of microseconds up to a minute, three digits exact.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("valid bounds"))
}

/// Whole microseconds, at least one: what [`histogram`] takes.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
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
        assert_eq!(tally.record(0, id(0), now), None);
        assert!(!tally.is_free(1, 0) && tally.is_free(0, 0));
        assert_eq!(tally.record(1, id(0), now), Some(1));
        assert!(tally.is_free(1, 8));

        assert_eq!((tally.repeated, tally.skipped), (0, 0));
        tally.record(0, id(0), now);
        assert_eq!((tally.repeated, tally.skipped), (1, 0));
        tally.record(0, id(3), now);
        assert_eq!((tally.repeated, tally.skipped), (1, 2));
        tally.record(0, id(2), now);
        assert_eq!((tally.repeated, tally.skipped, tally.received), (2, 2, 5));

        let elsewhere = [Deliveries::id(2, 0), Deliveries::id(0, 8), 99_999_999];
        assert!(elsewhere.iter().all(|id| tally.record(0, *id, now).is_none()));
        assert_eq!(tally.received, 5);
    }

    #[test]
    fn sequence_numbers_go_round() {
        let now = Instant::now();
        let mut tally = Deliveries::new(1, 1, 4);
        for number in 0..100 {
            assert!(tally.is_free(0, number));
            tally.sent(0, number, now);
            assert_eq!(tally.record(0, Deliveries::id(0, number % 4), now), Some(0));
        }
        assert_eq!((tally.received, tally.repeated, tally.skipped), (100, 0, 0));
    }
}

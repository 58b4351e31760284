//! The receiver's side of one stream.

use bytes::Bytes;

use super::packet::Header;

/// How far a peer's stream to us has come.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// Since when the peer knows us, as one of its epochs; 0 if it was never heard.
    since: u64,
    /// The peer's newest stream.
    epoch: u64,
    /// Every entry of that stream up to here has been received.
    received: u64,
    gaps: u64,
}

/// How a packet stands to the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Of a stream that a newer one has replaced: nothing in it counts any more.
    Stale,
    /// Of the stream that is known.
    Known,
    /// The first one of a new stream.
    NewStream,
    /// The first one of a new stream, by a peer that has forgotten us in the meantime.
    FoundAnew,
}

impl Incoming {
    /// Whether the peer was ever heard.
    pub(crate) fn heard(&self) -> bool {
        self.epoch > 0
    }

    /// What to acknowledge: the stream and the last entry received in order.
    pub(crate) fn acknowledgement(&self) -> (u64, u64) {
        (self.epoch, self.received)
    }

    /// How many packets began beyond what was received.
    pub(crate) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Takes notice of a packet's stream.
    pub(crate) fn place(&mut self, header: &Header) -> Standing {
        let standing = if header.since < self.since || header.epoch < self.epoch {
            return Standing::Stale;
        } else if header.since > self.since && self.heard() {
            Standing::FoundAnew
        } else if header.epoch > self.epoch {
            Standing::NewStream
        } else {
            return Standing::Known;
        };
        let gaps = self.gaps;
        *self = Incoming { since: header.since, epoch: header.epoch, received: 0, gaps };
        standing
    }

    /// Takes the entries of a packet of the known stream, of which `entries` keeps the new ones.
    /// Whether some before them are missing, in which case none is kept.
    #[must_use]
    pub(crate) fn accept(&mut self, first: u64, entries: &mut Vec<Bytes>) -> bool {
        let expected = self.received + 1;
        if first > expected {
            self.gaps += 1;
            entries.clear();
            return true;
        }
        let known = (expected - first).min(entries.len() as u64);
        entries.drain(..known as usize);
        self.received += entries.len() as u64;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flags, Incarnation};

    fn header(since: u64, epoch: u64) -> Header {
        let (from, to) = (Incarnation(1), Incarnation(2));
        Header { from, to, flags: Flags(0), since, epoch, first: 1, ack_epoch: 0, ack: 0 }
    }

    fn accept(incoming: &mut Incoming, first: u64, count: u64) -> (Vec<u64>, bool) {
        let number = |n: u64| Bytes::from(n.to_string());
        let mut entries = (first..first + count).map(number).collect();
        let gap = incoming.accept(first, &mut entries);
        let numbers = entries.iter().map(|e| std::str::from_utf8(e).unwrap().parse().unwrap());
        (numbers.collect(), gap)
    }

    #[test]
    fn entries_come_once_and_in_order() {
        let mut incoming = Incoming::default();
        incoming.place(&header(1, 1));
        assert_eq!(accept(&mut incoming, 1, 2), (vec![1, 2], false));
        assert_eq!(accept(&mut incoming, 1, 2), (vec![], false), "known");
        assert_eq!(accept(&mut incoming, 2, 3), (vec![3, 4], false), "overlapping");
        assert_eq!(accept(&mut incoming, 6, 1), (vec![], true), "5 is missing");
        assert_eq!(accept(&mut incoming, 6, 0), (vec![], true), "a heartbeat shows it too");
        assert_eq!(accept(&mut incoming, 5, 0), (vec![], false));
        assert_eq!(accept(&mut incoming, 1, 0), (vec![], false));
        assert_eq!(accept(&mut incoming, 5, 2), (vec![5, 6], false));
        assert_eq!(accept(&mut incoming, u64::MAX, 0), (vec![], true));
        assert_eq!((incoming.acknowledgement(), incoming.gaps()), ((1, 6), 3));
    }

    #[test]
    fn newer_streams_replace_older_ones() {
        let mut incoming = Incoming::default();
        assert!(!incoming.heard());
        assert_eq!(incoming.place(&header(3, 4)), Standing::NewStream);
        accept(&mut incoming, 1, 2);
        assert_eq!(incoming.place(&header(3, 4)), Standing::Known);
        assert_eq!(incoming.place(&header(3, 3)), Standing::Stale);
        assert_eq!(incoming.place(&header(3, 6)), Standing::NewStream);
        assert_eq!(incoming.acknowledgement(), (6, 0));
        assert_eq!(incoming.place(&header(3, 4)), Standing::Stale);
        assert_eq!(incoming.place(&header(9, 9)), Standing::FoundAnew);
        assert_eq!(incoming.place(&header(9, 9)), Standing::Known);
        assert_eq!(incoming.place(&header(3, 6)), Standing::Stale);
    }

    #[test]
    fn a_header_that_contradicts_itself_changes_nothing() {
        let mut incoming = Incoming::default();
        incoming.place(&header(3, 4));
        assert_eq!(incoming.place(&header(5, 3)), Standing::Stale);
        assert_eq!(incoming.place(&header(2, 9)), Standing::Stale);
        assert_eq!(incoming.acknowledgement(), (4, 0));
    }
}

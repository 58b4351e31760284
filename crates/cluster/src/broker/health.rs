//! Whether we see the others: only if what we say comes back from the broker.
//!
//! ```text
//!             our hello comes back             all peers were heard, or had the time
//!   Blind  ----------------------->  Returning  ----------------------->  Clear
//!     ^                                  |                                  |
//!     '----- the connection breaks, or our hellos do not come back ---------'
//! ```
//!
//! **Returning.** After an outage of the broker not everybody is back at the same time: whoever
//! tried to connect just before it came back may need seconds until it gets through. Those who
//! are back first must not hold the others for dead meanwhile, so for the core they stay blind
//! until everybody was heard, or had as long as such a wait may take. Packets are exchanged.
//!
//! A state machine without IO; time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// How long a peer may take longer than we did to come back after a long outage: an attempt of a
/// [`Bus`](super::Bus) that is given up, the longest pause after it, and then some.
const STRAGGLING: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    Blind,
    Returning { since: Instant, patience: Duration },
    Clear,
}

/// One node's sight.
#[derive(Debug)]
pub(super) struct BrokerHealth {
    state: Echo,
    connected: bool,
    /// Something that we have sent is lost for sure, so the links have to send it again.
    torn: bool,
    /// The number of our next hello.
    next: u64,
    /// Hellos before this number prove nothing: they may have waited somewhere.
    proving: u64,
    /// When our hello came back last.
    proved: Instant,
    /// After this long without our hello we are blind.
    patience: Duration,
}

impl BrokerHealth {
    /// Blind at first.
    pub(super) fn new(now: Instant, node_timeout: Duration) -> Self {
        // Peers must not be dead before we know that it is us: what they said last may be older
        // than our last hello by the time between two of theirs, a quarter of the timeout. The
        // eighth that is left is for delays.
        let patience = node_timeout * 5 / 8;
        let (state, proved) = (Echo::Blind, now);
        BrokerHealth { state, connected: false, torn: false, next: 1, proving: 1, proved, patience }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether packets come through, as far as we know.
    pub(super) fn sees(&self) -> bool {
        self.state != Echo::Blind
    }

    /// The number of our next hello, which counts on.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The connection stands.
    pub(super) fn connect(&mut self) {
        self.connected = true;
        self.proving = self.next;
    }

    /// The connection broke. Whether we did see until now.
    pub(super) fn disconnect(&mut self) -> bool {
        self.connected = false;
        self.interrupt()
    }

    /// Something that we sent is lost. Whether we did see until now.
    pub(super) fn interrupt(&mut self) -> bool {
        self.torn = true;
        self.lose()
    }

    /// Our hello did not come back in time, if that is so; says for how long.
    pub(super) fn check(&mut self, now: Instant) -> Option<Duration> {
        let silence = now - self.proved;
        (self.sees() && silence >= self.patience && self.lose()).then_some(silence)
    }

    /// This process was away, and what came meanwhile may still be waiting to be read.
    pub(super) fn resume(&mut self, now: Instant) {
        self.proved = now;
    }

    /// One of our hellos came back. Says whether the links have to send again what is not
    /// acknowledged, if we did not see until now.
    pub(super) fn confirm(&mut self, now: Instant, number: u64) -> Option<bool> {
        if !self.connected || number < self.proving {
            return None;
        }
        let outage = now - self.proved;
        self.proved = now;
        if self.sees() {
            return None;
        }
        // Pauses between attempts double, so they are about as long as the outage was.
        let patience = (outage * 2).min(STRAGGLING);
        self.state = Echo::Returning { since: now, patience };
        Some(std::mem::take(&mut self.torn))
    }

    /// Whether from now on silent peers are to be held for dead again. `heard` says whether all
    /// peers were heard within a time.
    pub(super) fn settle(&mut self, now: Instant, heard: impl Fn(Duration) -> bool) -> bool {
        let Echo::Returning { since, patience } = self.state else { return false };
        let returning = now - since;
        let settled = returning >= patience || heard(returning);
        if settled {
            self.state = Echo::Clear;
        }
        settled
    }

    fn lose(&mut self) -> bool {
        self.proving = self.next;
        let saw = self.sees();
        self.state = Echo::Blind;
        saw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(2);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A sight that is clear, and when it began.
    fn clear() -> (BrokerHealth, Instant) {
        let zero = Instant::now();
        let mut sight = BrokerHealth::new(zero, TIMEOUT);
        sight.connect();
        let number = sight.number();
        assert_eq!(sight.confirm(zero, number), Some(false));
        assert!(sight.settle(zero, |_| true));
        (sight, zero)
    }

    #[test]
    fn only_a_hello_that_was_said_over_this_connection_proves_sight() {
        let zero = Instant::now();
        let mut sight = BrokerHealth::new(zero, TIMEOUT);
        let early = sight.number();
        assert_eq!(sight.confirm(zero, early), None, "not connected");
        sight.connect();
        assert_eq!(sight.confirm(zero, early), None, "from before");
        let number = sight.number();
        assert!(!sight.sees());
        assert_eq!(sight.confirm(zero, number), Some(false));
        assert!(sight.sees());
        assert_eq!(sight.confirm(zero, number), None, "no news");
        assert!(sight.disconnect());
        assert!(!sight.disconnect());
        assert_eq!(sight.confirm(zero, number), None, "it waited in a queue");
        sight.connect();
        assert_eq!(sight.confirm(zero, number), None, "it waited in a queue");
        let number = sight.number();
        assert_eq!(sight.confirm(zero, number), Some(true), "what was on its way is lost");
    }

    #[test]
    fn hellos_that_do_not_come_back_blind() {
        let (mut sight, zero) = clear();
        assert_eq!(sight.check(zero + ms(1249)), None);
        assert_eq!(sight.check(zero + ms(1250)), Some(ms(1250)));
        assert_eq!(sight.check(zero + ms(1300)), None, "known");
        let number = sight.number();
        assert_eq!(sight.confirm(zero + ms(1400), number), Some(false), "the links notice gaps");
    }

    #[test]
    fn a_process_that_was_away_is_not_blind() {
        let (mut sight, zero) = clear();
        sight.resume(zero + ms(60_000));
        assert_eq!(sight.check(zero + ms(60_100)), None);
        assert!(sight.check(zero + ms(61_300)).is_some());
    }

    #[test]
    fn stragglers_have_time_to_come_back() {
        for (outage, patience) in [(ms(1500), ms(3000)), (ms(60_000), STRAGGLING)] {
            let (mut sight, zero) = clear();
            assert!(sight.disconnect());
            sight.connect();
            let (back, number) = (zero + outage, sight.number());
            assert_eq!(sight.confirm(back, number), Some(true));
            assert!(!sight.settle(back + patience - ms(1), |_| false));
            assert!(sight.settle(back + patience, |_| false));
            assert!(!sight.settle(back + patience, |_| false), "only once");
        }
    }

    #[test]
    fn it_is_clear_as_soon_as_all_peers_were_heard() {
        let (mut sight, zero) = clear();
        assert!(sight.interrupt());
        let (back, number) = (zero + ms(100), sight.number());
        assert_eq!(sight.confirm(back, number), Some(true));
        let silent = ms(50);
        assert!(!sight.settle(back + ms(40), |within| silent <= within));
        assert!(sight.settle(back + ms(60), |within| silent <= within));
    }
}

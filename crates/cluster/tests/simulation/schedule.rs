//! What goes wrong in one run, drawn from its seed.

use std::time::Duration;

use cluster::Settings;
use testkit::simulated::{Conditions, Random, SimulatedTransport};

/// Where in time a run is, and how bad it may get.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) nodes: usize,
    pub(crate) transport: SimulatedTransport,
    pub(crate) settings: Settings,
    /// Of 100 messages.
    pub(crate) lost: u64,
    /// Of 100 messages.
    pub(crate) doubled: u64,
    /// At most, in milliseconds.
    pub(crate) delay: u64,
    /// Whether messages may overtake each other.
    pub(crate) unordered: bool,
    /// Whether what comes to a frozen node waits for it, or is lost.
    pub(crate) waits: bool,
    /// Whether a node whose way to the broker is down notices that nothing can be sent.
    pub(crate) refused: bool,
    pub(crate) partitions: bool,
    pub(crate) lost_ways: bool,
    pub(crate) outages: bool,
    pub(crate) freezes: bool,
    pub(crate) deaths: bool,
}

impl Schedule {
    /// What happens to messages on their way.
    pub(crate) fn conditions(&self) -> Conditions {
        let Schedule { lost, doubled, delay, unordered, .. } = *self;
        Conditions { lost, doubled, delay, unordered }
    }

    /// Loss, repetition, delay and a broker that goes away: nobody may be held for dead, and
    /// nothing may be lost.
    pub(crate) fn gentle(random: &mut Random) -> Self {
        Schedule {
            nodes: random.between(2, 5) as usize,
            transport: SimulatedTransport::Broker,
            settings: Settings::default(),
            lost: random.between(0, 19),
            doubled: random.pick(&[0, 10]),
            delay: random.between(10, 400),
            unordered: random.one_in(2),
            waits: true,
            refused: random.one_in(2),
            partitions: false,
            lost_ways: false,
            outages: random.one_in(2),
            freezes: false,
            deaths: false,
        }
    }

    /// Anything, with bounds so narrow that streams break.
    pub(crate) fn rough(random: &mut Random) -> Self {
        let transport = random.pick(&[SimulatedTransport::Mesh, SimulatedTransport::Broker]);
        let broker = transport == SimulatedTransport::Broker;
        Schedule {
            nodes: random.between(2, 5) as usize,
            transport,
            settings: Settings {
                replay_bytes: random.pick(&[2 << 10, 16 << 10, 16 << 20]),
                replay_age: Duration::from_secs(random.pick(&[3, 30])),
                ..Settings::default()
            },
            lost: if broker { random.pick(&[0, 5, 50]) } else { 0 },
            doubled: if broker { random.pick(&[0, 10]) } else { 0 },
            delay: random.between(10, 200),
            unordered: broker && random.one_in(2),
            waits: !broker || random.one_in(2),
            refused: random.one_in(2),
            partitions: random.one_in(2),
            lost_ways: broker && random.one_in(2),
            outages: broker && random.one_in(2),
            freezes: random.one_in(2),
            deaths: random.one_in(2),
        }
    }
}

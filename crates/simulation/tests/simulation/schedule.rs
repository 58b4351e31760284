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
    /// Whether some nodes start later than others.
    pub(crate) latecomers: bool,
    /// Whether snapshots take a while.
    pub(crate) ballast: bool,
    /// Whether every second node speaks a later version.
    pub(crate) upgrade: bool,
}

impl Schedule {
    /// What happens to messages on their way.
    pub(crate) fn conditions(&self) -> Conditions {
        let Schedule { lost, doubled, delay, unordered, .. } = *self;
        Conditions { lost, doubled, delay, unordered }
    }

    /// Whether something may cost events or lives.
    pub(crate) fn is_rough(&self) -> bool {
        let bounds = Settings::default();
        self.partitions
            || self.lost_ways
            || self.freezes
            || self.deaths
            || self.transport == SimulatedTransport::Mesh
            || self.settings.replay_age < bounds.replay_age
            || self.settings.replay_bytes < bounds.replay_bytes
            || self.lost > 19
    }

    /// Loss, repetition, delay, a broker that goes away and nodes that join: nobody may be held for
    /// dead, and nothing may be lost.
    pub(crate) fn gentle(random: &mut Random) -> Self {
        Schedule {
            nodes: random.between(2, 5) as usize,
            transport: SimulatedTransport::Broker,
            settings: Settings::default(),
            lost: random.pick(&[0, 0, 3, 19]),
            doubled: random.pick(&[0, 10]),
            delay: random.pick(&[1, 5, 10, 30, 300]),
            unordered: random.one_in(2),
            waits: true,
            refused: random.one_in(2),
            partitions: false,
            lost_ways: false,
            outages: random.one_in(3),
            freezes: false,
            deaths: false,
            latecomers: random.one_in(2),
            ballast: false,
            upgrade: false,
        }
    }

    /// The same, by nodes of two versions.
    pub(crate) fn upgrade(random: &mut Random) -> Self {
        Schedule { upgrade: true, ..Schedule::gentle(random) }
    }

    /// Anything, with bounds so narrow that streams break.
    pub(crate) fn rough(random: &mut Random) -> Self {
        let transport = random.pick(&[SimulatedTransport::Mesh, SimulatedTransport::Broker]);
        let broker = transport == SimulatedTransport::Broker;
        Schedule {
            nodes: random.between(2, 5) as usize,
            transport,
            settings: Settings {
                replay_bytes: random.pick(&[4 << 10, 32 << 10, 16 << 20]),
                replay_age: Duration::from_secs(random.pick(&[3, 30])),
                ..Settings::default()
            },
            lost: if broker { random.pick(&[0, 5, 50]) } else { 0 },
            doubled: if broker { random.pick(&[0, 10]) } else { 0 },
            delay: random.pick(&[5, 20, 200]),
            unordered: broker && random.one_in(2),
            waits: !broker || random.one_in(2),
            refused: random.one_in(2),
            partitions: random.one_in(2),
            lost_ways: broker && random.one_in(2),
            outages: broker && random.one_in(2),
            freezes: random.one_in(2),
            deaths: random.one_in(2),
            latecomers: random.one_in(2),
            ballast: false,
            upgrade: false,
        }
    }

    /// Streams that break again and again, and snapshots that take a while, during which things go
    /// on.
    pub(crate) fn bulky(random: &mut Random) -> Self {
        let replay_age = Duration::from_secs(random.pick(&[1, 2]));
        Schedule {
            nodes: random.between(2, 3) as usize,
            settings: Settings { replay_age, ..Settings::default() },
            lost: 0,
            delay: random.pick(&[20, 50, 100]),
            unordered: false,
            partitions: random.one_in(4),
            outages: true,
            freezes: random.one_in(4),
            deaths: random.one_in(4),
            ballast: true,
            ..Schedule::gentle(random)
        }
    }
}

//! What a suite measures, on whom, and all its reports.

use crate::rounds::Rounds;

/// Reports of a suite.
pub(crate) type Results = Rounds<Scenario, Contender>;

/// What is measured.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scenario {
    /// Closed-loop fan-out
    Fanout,
    /// Fan-out at a fixed rate
    Steady,
    /// HTTP publish
    Publish,
    /// Connect, subscribe, close
    Churn,
    /// Idle connections
    Idle,
    /// Many channels
    Channels,
    /// From start to ready
    Start,
}

/// What it is measured on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Contender {
    /// The floor that sends each frame by itself.
    Floor,
    /// The floor that sends what is pending at once.
    Coalescing,
    /// The server under test.
    Server,
}

impl Scenario {
    /// All, in the order in which a round runs them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Fanout,
        Self::Steady,
        Self::Publish,
        Self::Churn,
        Self::Idle,
        Self::Channels,
        Self::Start,
    ];

    /// Whom a round measures, in order: the coalescing floor only where it makes a difference.
    pub(crate) fn contenders(self) -> Vec<Contender> {
        match self {
            Self::Fanout | Self::Steady | Self::Publish => {
                vec![Contender::Floor, Contender::Coalescing, Contender::Server]
            }
            _ => vec![Contender::Floor, Contender::Server],
        }
    }

    /// The heading of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Fanout => "Fan-out, closed loop",
            Self::Steady => "Fan-out, open loop",
            Self::Publish => "HTTP publish to one subscriber",
            Self::Churn => "Connect, subscribe, close",
            Self::Idle => "Idle connections",
            Self::Channels => "Many channels",
            Self::Start => "Start to ready",
        }
    }
}

impl Contender {
    /// What tables call it; `server` is the name of the server under test.
    pub(crate) fn label(self, server: &str) -> &str {
        match self {
            Self::Floor => "floor",
            Self::Coalescing => "floor, coalescing",
            Self::Server => server,
        }
    }
}

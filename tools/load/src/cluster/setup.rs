//! Who is measured: so many nodes over one adapter. It must not know how they are started.

/// How nodes reach each other.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Adapter {
    /// Not at all: a node on its own
    Local,
    /// The mesh
    Cluster,
    /// Redis
    Redis,
    /// NATS
    Nats,
}

/// So many nodes over one adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Setup {
    /// The adapter.
    pub(crate) adapter: Adapter,
    /// The number of nodes.
    pub(crate) nodes: usize,
    /// Whether each has one thread for its clients; otherwise one for each core.
    pub(crate) single: bool,
}

/// The node on its own, which the others are compared with.
pub(crate) const ALONE: Setup = Setup { adapter: Adapter::Local, nodes: 1, single: false };

/// What is measured.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scenario {
    /// Connect, subscribe, close; the channels are occupied on every node
    Occupied,
    /// The same, each cycle with a channel of its own
    Fresh,
    /// The same, with few at a time
    Few,
    /// Published on one node, received on another
    Latency,
    /// Many private channels with one subscriber each
    Interest,
    /// The same, with few publishers
    Sparse,
    /// The same as with many, no event for a subscriber on another node
    Here,
    /// The same, three quarters of the events for a subscriber on another node
    Elsewhere,
    /// The same with large events, to count how often one crosses
    Crossing,
    /// One channel with subscribers on every node
    Fanout,
}

impl Adapter {
    /// Those that join nodes.
    pub(crate) const JOINING: [Self; 3] = [Self::Cluster, Self::Redis, Self::Nats];

    /// As configurations spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Cluster => "cluster",
            Self::Redis => "redis",
            Self::Nats => "nats",
        }
    }

    /// So many nodes over it.
    pub(crate) fn of(self, nodes: usize) -> Setup {
        Setup { adapter: self, nodes, single: false }
    }
}

impl Setup {
    /// What tables call it.
    pub(crate) fn label(self) -> String {
        let threads = if self.single { ", one thread" } else { "" };
        format!("{} x {}{threads}", self.nodes, self.adapter.name())
    }

    /// The same nodes with one thread each.
    pub(crate) fn single(self) -> Setup {
        Setup { single: true, ..self }
    }
}

impl Scenario {
    /// All, in the order in which a round runs them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Occupied,
        Self::Fresh,
        Self::Few,
        Self::Latency,
        Self::Interest,
        Self::Sparse,
        Self::Here,
        Self::Elsewhere,
        Self::Crossing,
        Self::Fanout,
    ];

    /// Who is measured in it.
    pub(crate) fn contenders(self) -> Vec<Setup> {
        let each = |nodes| Adapter::JOINING.map(|adapter| adapter.of(nodes));
        let singles = || [2, 4].map(|nodes| Adapter::Cluster.of(nodes).single());
        match self {
            Self::Occupied | Self::Fresh | Self::Few | Self::Latency => {
                [&[ALONE][..], &each(2)].concat()
            }
            // With more threads than cores, what is seen is how the system deals them out.
            Self::Interest => [&[ALONE.single()][..], &singles()].concat(),
            Self::Sparse | Self::Here | Self::Elsewhere => singles().to_vec(),
            // What crosses is counted where a broker sees it; which nodes an event is sent to is
            // decided before any adapter has to do with it.
            Self::Crossing => vec![Adapter::Redis.of(4), Adapter::Nats.of(4)],
            Self::Fanout => [&[ALONE][..], &each(3)].concat(),
        }
    }

    /// The heading of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Occupied => "Connect, subscribe, close: occupied channels",
            Self::Fresh => "Connect, subscribe, close: fresh channels",
            Self::Few => "Connect, subscribe, close: fresh channels, few at a time",
            Self::Latency => "From one node to another at a fixed rate",
            Self::Interest => "Private channels with one subscriber each",
            Self::Sparse => "The same, few events in flight",
            Self::Here => "Private channels, no event for another node",
            Self::Elsewhere => "Private channels, 3/4 of the events for another node",
            Self::Crossing => "Large events to one subscriber each",
            Self::Fanout => "One channel, subscribers on every node",
        }
    }
}

//! What is measured on: a reference server, the server under test, or several nodes of it. It must
//! not know how they are started.

/// What is measured on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Setup {
    /// The floor that sends each frame by itself.
    Floor,
    /// The floor that sends what is pending at once.
    CoalescingFloor,
    /// The server under test, as its command starts it.
    Server,
    /// Nodes of the server under test, configured to be joined.
    Nodes(Nodes),
}

/// So many nodes over one adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Nodes {
    /// How they are joined.
    pub(crate) adapter: Adapter,
    /// How many they are.
    pub(crate) count: usize,
    /// Each has one thread for its clients; otherwise one for each core.
    pub(crate) one_thread: bool,
}

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

    /// So many nodes over it, with a thread for each core.
    pub(crate) const fn nodes(self, count: usize) -> Setup {
        Setup::Nodes(Nodes { adapter: self, count, one_thread: false })
    }

    /// So many nodes over it, with one thread each.
    pub(crate) const fn one_thread_nodes(self, count: usize) -> Setup {
        Setup::Nodes(Nodes { adapter: self, count, one_thread: true })
    }
}

impl Setup {
    /// What tables call it; `server` is the name of the server under test.
    pub(crate) fn label(self, server: &str) -> String {
        match self {
            Self::Floor => "floor".to_owned(),
            Self::CoalescingFloor => "floor, coalescing".to_owned(),
            Self::Server => server.to_owned(),
            Self::Nodes(Nodes { adapter, count, one_thread }) => {
                let threads = if one_thread { ", one thread" } else { "" };
                format!("{count} x {}{threads}", adapter.name())
            }
        }
    }

    /// What it is called where a figure is a ratio to its own.
    pub(crate) fn as_baseline(self) -> String {
        match self {
            Self::Nodes(Nodes { adapter: Adapter::Local, .. }) => "alone".to_owned(),
            Self::Nodes(Nodes { count, .. }) => format!("{count} nodes"),
            other => other.label("server"),
        }
    }
}

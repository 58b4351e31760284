//! Why options are refused, and why there is no connection.

use std::io;
use std::time::Duration;

use crate::Address;

/// What is wrong with options.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// An option that is not known.
    #[error("unknown Redis option {name:?}; known are {known}")]
    Unknown {
        /// Its name.
        name: String,
        /// All known names.
        known: String,
    },
    /// An option has a value that it cannot have.
    #[error("Redis option {name:?} is {value}, it must be {right}")]
    Value {
        /// Its name.
        name: String,
        /// What it is; a secret's value is not shown.
        value: String,
        /// What would be right.
        right: &'static str,
    },
    /// An option that means nothing for these servers.
    #[error("Redis option {name:?} has no effect {place}, it must be left out there")]
    NoEffect {
        /// Its name.
        name: &'static str,
        /// Where it has none.
        place: &'static str,
    },
    /// A list of servers is empty.
    #[error("Redis option {0:?} is empty, it must name at least one {{host, port}}")]
    NoNodes(&'static str),
    /// A Redis Cluster has only one database.
    #[error("Redis option \"db\" is {0}, in a Redis Cluster it must be 0")]
    DatabaseOfCluster(u32),
    /// A user who cannot get in.
    #[error("Redis option \"username\" is set, then \"password\" must be set, too")]
    UserWithoutPassword,
    /// A certificate without its key, or a key without its certificate.
    #[error("Redis option \"tls\" has one of \"cert\" and \"key\", it must have both or none")]
    HalfCertificate,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The network does not lead there, or nobody listens, or the connection broke.
    #[error("Redis {address}: {error}")]
    Network {
        /// Where it should have led.
        address: Address,
        /// What the system says.
        error: io::Error,
    },
    /// The server did not answer in time.
    #[error("Redis {address}: no answer within {after:?}")]
    TimedOut {
        /// Which one.
        address: Address,
        /// How long it had.
        after: Duration,
    },
    /// The server refused us, or what we asked for.
    #[error("Redis {address}: {error}")]
    Refused {
        /// Which one.
        address: Address,
        /// What it says.
        error: String,
    },
    /// A certificate, a key or an authority cannot be used.
    #[error("Redis {what}: {error}")]
    Tls {
        /// Which part of the options.
        what: String,
        /// What is wrong with it.
        error: String,
    },
    /// The server is a replica; it was the master a moment ago, or the sentinels are late.
    #[error("Redis {0} is no master now")]
    NoMaster(Address),
    /// A server answered something else than what was asked.
    #[error("Redis {address}: {what}")]
    Unexpected {
        /// Which one.
        address: Address,
        /// What was not understood.
        what: String,
    },
    /// Several servers could have told, and none did.
    #[error("{what}: {}", causes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Nobody {
        /// What they should have told.
        what: String,
        /// What was wrong with each.
        causes: Vec<ConnectError>,
    },
    /// The options do not fit together.
    #[error(transparent)]
    Options(#[from] OptionError),
    /// The `redis` crate could not connect.
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
}

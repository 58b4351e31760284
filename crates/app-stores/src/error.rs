//! Why a store cannot be opened, and why a question has no answer.

use std::time::Duration;

/// Options with which no store can work.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The driver was left out when the server was built.
    #[error(
        "appManager.driver = \"{driver}\": this server was built without it; build it with the \
         feature \"{driver}\""
    )]
    NotBuiltIn {
        /// The driver, which is also the name of the feature.
        driver: &'static str,
    },
    /// An option has a value that it cannot have.
    #[error("{key} = {value}: it must be {right}")]
    Option {
        /// The option's key.
        key: &'static str,
        /// What it is; secrets are not shown.
        value: String,
        /// What would be right.
        right: &'static str,
    },
}

/// Why a store did not answer. All of these may be gone the next time.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The network does not lead there, nobody listens, or the connection broke.
    #[error("{store}: cannot be reached: {error}")]
    Unreachable {
        /// The store's name.
        store: &'static str,
        /// What went wrong.
        error: String,
    },
    /// The store did not let us in.
    #[error("{store}: refused: {error}")]
    Refused {
        /// The store's name.
        store: &'static str,
        /// What it says.
        error: String,
    },
    /// The store did not answer in time.
    #[error("{store}: no answer within {after:?}")]
    TimedOut {
        /// The store's name.
        store: &'static str,
        /// How long it had.
        after: Duration,
    },
    /// The table is not there, or is not as it should be.
    #[error("{store}: table {table}: {error}")]
    Table {
        /// The store's name.
        store: &'static str,
        /// The table, as in the options.
        table: String,
        /// What is wrong with it.
        error: String,
    },
    /// Anything else that the store says.
    #[error("{store}: {error}")]
    Failed {
        /// The store's name.
        store: &'static str,
        /// What it says.
        error: String,
    },
}

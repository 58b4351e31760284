//! Apps in a real database, with real processes that look them up: changes that take effect on every
//! node, a database that goes away, and how often it is asked.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod absence;
mod changes;
mod databases;
mod outage;
mod questions;

/// Makes a test of each scenario for a database.
macro_rules! scenarios {
    ($name:ident, $database:ty) => {
        mod $name {
            #[test]
            fn changes_take_effect_on_every_node() {
                crate::changes::take_effect_on_every_node::<$database>();
            }

            #[test]
            fn away_what_is_known_goes_on() {
                crate::outage::what_is_known_goes_on::<$database>();
            }

            #[test]
            fn never_reached_a_node_is_not_ready() {
                crate::absence::is_told_and_waited_for::<$database>();
            }
        }
    };
}

scenarios!(postgres, crate::databases::Postgres);
scenarios!(mariadb, crate::databases::Maria);

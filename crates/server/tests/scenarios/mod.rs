//! What holds for several nodes, whichever adapter joins them: each test binary that has these tests
//! says in its module `adapter` which one that is.

#![allow(unreachable_pub, reason = "each test binary has its own copy of this")]

mod api;
mod cache;
mod events;
mod joining;
pub mod nodes;
mod places;
mod presence;
mod quotas;
mod rates;
mod users;
mod webhooks;

use nodes::Cluster;

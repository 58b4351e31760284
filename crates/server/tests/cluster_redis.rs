//! The tests of `cluster.rs`, with the nodes joined through Redis.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![allow(unreachable_pub, reason = "each test binary has its own copy of this")]

mod support;

#[path = "cluster/redis.rs"]
mod adapter;
#[path = "cluster/api.rs"]
mod api;
#[path = "cluster/cache.rs"]
mod cache;
#[path = "cluster/events.rs"]
mod events;
#[path = "cluster/joining.rs"]
mod joining;
#[path = "cluster/nodes.rs"]
mod nodes;
#[path = "cluster/places.rs"]
mod places;
#[path = "cluster/presence.rs"]
mod presence;
#[path = "cluster/quotas.rs"]
mod quotas;
#[path = "cluster/rates.rs"]
mod rates;
#[path = "cluster/users.rs"]
mod users;
#[path = "cluster/webhooks.rs"]
mod webhooks;

use nodes::Cluster;

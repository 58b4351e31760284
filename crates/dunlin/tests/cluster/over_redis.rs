//! Nodes that are joined through a Redis.

use testkit::broker::{Broker, BrokerKind};
use testkit::nodes::Adapter;

use crate::{events, freeze, kill, rolling};

fn with_redis(scenario: impl FnOnce(&Adapter)) {
    let redis = Broker::run(BrokerKind::Redis, "");
    scenario(&Adapter::redis(redis.port));
}

#[test]
fn members_of_a_killed_node_are_removed_everywhere_once() {
    with_redis(kill::members_are_removed_once);
}

#[test]
fn a_frozen_node_holds_nobody_up_and_comes_back() {
    with_redis(freeze::nobody_is_held_up);
}

#[test]
fn a_rolling_restart_loses_nobody_and_no_publish() {
    with_redis(rolling::nothing_is_lost);
}

#[test]
fn no_event_after_a_first_subscription_is_lost() {
    with_redis(|adapter| events::none_is_lost_after_a_subscription(adapter, 2_000));
}

#[test]
fn pipelined_events_arrive_everywhere_in_order() {
    with_redis(events::all_arrive_in_order);
}

//! Nodes that are joined through a NATS server.

use testkit::broker::{Broker, BrokerKind};
use testkit::nodes::Adapter;

use crate::{events, freeze, kill, rolling};

fn with_nats(scenario: impl FnOnce(&Adapter)) {
    let nats = Broker::run(BrokerKind::Nats, "");
    scenario(&Adapter::nats(nats.port));
}

#[test]
fn members_of_a_killed_node_are_removed_everywhere_once() {
    with_nats(kill::members_are_removed_once);
}

#[test]
fn a_frozen_node_holds_nobody_up_and_comes_back() {
    with_nats(freeze::nobody_is_held_up);
}

#[test]
fn a_rolling_restart_loses_nobody_and_no_publish() {
    with_nats(rolling::nothing_is_lost);
}

#[test]
fn no_event_after_a_first_subscription_is_lost() {
    with_nats(|adapter| events::none_is_lost_after_a_subscription(adapter, 2_000));
}

#[test]
fn pipelined_events_arrive_everywhere_in_order() {
    with_nats(events::all_arrive_in_order);
}

//! Nodes over one Redis, and what happens to it.

use std::time::Duration;

use testkit::broker::{Broker, BrokerKind};
use testkit::nodes::Adapter;

use super::outage::Fault::{Frozen, Killed};
use super::{absence, outage};

fn redis() -> (Broker, Adapter) {
    let redis = Broker::run(BrokerKind::Redis, "");
    let adapter = Adapter::redis(redis.port);
    (redis, adapter)
}

#[test]
fn killed_for_ten_seconds_nothing_is_lost() {
    let (mut redis, adapter) = redis();
    outage::nothing_is_lost(&mut redis, &adapter, (Killed, Duration::from_secs(10)), 20_000);
}

#[test]
fn killed_for_a_minute_nothing_is_lost() {
    let (mut redis, adapter) = redis();
    outage::nothing_is_lost_in_a_minute(&mut redis, &adapter);
}

#[test]
fn frozen_for_six_seconds_nothing_is_lost() {
    let (mut redis, adapter) = redis();
    outage::nothing_is_lost(&mut redis, &adapter, (Frozen, Duration::from_secs(6)), 5_000);
}

#[test]
fn away_for_longer_than_events_are_kept_losses_are_counted() {
    let (mut redis, adapter) = redis();
    outage::losses_are_counted(&mut redis, &adapter);
}

#[test]
fn not_there_or_with_another_password_it_is_waited_for() {
    let mut redis = Broker::away(BrokerKind::Redis, "requirepass right");
    let adapter = Adapter::redis(redis.port).with(&[("DB_REDIS_PASSWORD", "wrong")]);
    let change: fn(&mut Broker) = |redis| {
        redis.tell(&["AUTH right", "CONFIG SET requirepass wrong"]);
    };
    let said = ["Connection refused", "WRONGPASS"];
    absence::is_waited_for(&mut redis, &adapter, said, [Broker::start, change]);
}

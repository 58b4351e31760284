//! Nodes over one NATS server, and what happens to it.

use std::time::Duration;

use testkit::broker::{Broker, BrokerKind};
use testkit::nodes::Adapter;

use super::outage::Fault::{Frozen, Killed};
use super::{absence, outage};

fn nats() -> (Broker, Adapter) {
    let nats = Broker::run(BrokerKind::Nats, "");
    let adapter = Adapter::nats(nats.port);
    (nats, adapter)
}

#[test]
fn killed_for_ten_seconds_nothing_is_lost() {
    let (mut nats, adapter) = nats();
    outage::nothing_is_lost(&mut nats, &adapter, (Killed, Duration::from_secs(10)), 20_000);
}

#[test]
fn frozen_for_six_seconds_nothing_is_lost() {
    let (mut nats, adapter) = nats();
    outage::nothing_is_lost(&mut nats, &adapter, (Frozen, Duration::from_secs(6)), 5_000);
}

#[test]
fn away_for_longer_than_events_are_kept_losses_are_counted() {
    let (mut nats, adapter) = nats();
    outage::losses_are_counted(&mut nats, &adapter);
}

#[test]
fn not_there_or_with_another_password_it_is_waited_for() {
    let mut nats =
        Broker::away(BrokerKind::Nats, "authorization { user: dunlin, password: right }");
    let env = [("ADAPTER_NATS_USER", "dunlin"), ("ADAPTER_NATS_PASSWORD", "wrong")];
    let adapter = Adapter::nats(nats.port).with(&env);
    let change: fn(&mut Broker) = |nats| {
        nats.stop();
        nats.lines = nats.lines.replace("right", "wrong");
        nats.start();
    };
    let said = ["nobody listens there", "authorization violation"];
    absence::is_waited_for(&mut nats, &adapter, said, [Broker::start, change]);
}

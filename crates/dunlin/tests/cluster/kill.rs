//! Nodes that end without a word.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes, connections, subscriptions, users};
use testkit::roster::{Witness, ask_to_join};
use testkit::ws::Client;

const CHANNEL: &str = "presence-room";
const MEMBERS: usize = 1000;
/// Of these users another node has a connection, too.
const ELSEWHERE: usize = 20;
const LIMIT: (&str, &str) = ("PRESENCE_MAX_MEMBERS", "2000");

/// How long it may take until everybody has been told.
const BAR: Duration = Duration::from_secs(5);

fn user(index: usize) -> String {
    format!("u{index:03}")
}

/// Has each client join as the user of its place, a part at a time.
fn join_all(clients: &mut [Client]) {
    let mut next = 0;
    for part in clients.chunks_mut(100) {
        for client in part.iter_mut() {
            ask_to_join(client, CHANNEL, &user(next));
            next += 1;
        }
        for client in part {
            client.expect_subscribed(CHANNEL);
        }
    }
}

pub(crate) fn members_are_removed_once(adapter: &Adapter) {
    let mut nodes = Nodes::start(adapter, 3, &[LIMIT]);
    let mut witnesses: Vec<Witness> = [1, 2]
        .map(|node| Witness::join(nodes.node(node).connect(), CHANNEL, &format!("w{node}")))
        .into();
    let mut dying: Vec<Client> = (0..MEMBERS).map(|_| nodes.node(0).connect()).collect();
    join_all(&mut dying);
    let mut staying: Vec<Client> =
        (0..ELSEWHERE).map(|index| nodes.node(1 + index % 2).connect()).collect();
    join_all(&mut staying);
    for witness in &mut witnesses {
        witness.until(|witness| witness.roster.0.len() == MEMBERS + 2);
        witness.seen.clear();
    }
    nodes.up().for_each(|node| assert_eq!(users(node, CHANNEL).len(), MEMBERS + 2));

    let killed = Instant::now();
    nodes.node(0).signal(Signal::KILL);
    let rest = ELSEWHERE + 2;
    thread::scope(|scope| {
        for witness in &mut witnesses {
            scope.spawn(|| witness.until(|witness| witness.roster.0.len() == rest));
        }
    });
    nodes.kill(0);
    for (witness, node) in witnesses.iter_mut().zip(nodes.up()) {
        let roster = users(node, CHANNEL);
        witness.catch_up();
        let removed = witness.seen.iter().filter(|change| !change.added).count();
        assert_eq!((removed, witness.seen.len()), (MEMBERS - ELSEWHERE, MEMBERS - ELSEWHERE));
        for index in 0..MEMBERS {
            let times = usize::from(index >= ELSEWHERE);
            assert_eq!(witness.count(false, &user(index)), times, "{}", user(index));
        }
        let after = |change: &testkit::roster::RosterChange| change.at - killed;
        let (first, last) = (after(&witness.seen[0]), after(witness.seen.last().unwrap()));
        println!("members of a killed node: removed from {first:?} to {last:?} after the kill");
        assert!(last < BAR, "{last:?}");
        assert_eq!(roster, witness.roster.0, "a backend is told another roster");
    }
    assert_eq!(witnesses[0].roster.0, witnesses[1].roster.0);
    nodes.have_no_bugs();
}

/// How often it is killed.
const CYCLES: usize = 50;
/// The memory of the others is compared with that after so many.
const WARM: usize = 10;

pub(crate) fn nothing_is_left_of_many(adapter: &Adapter) {
    let quick = [
        ("CLUSTER_NODE_TIMEOUT", "500"),
        ("CLUSTER_CHECK_INTERVAL", "100"),
        ("CLUSTER_KEEPALIVE_INTERVAL", "100"),
    ];
    let mut nodes = Nodes::start(adapter, 3, &quick);
    let mut witness = Witness::join(nodes.node(0).connect(), CHANNEL, "w");
    let memory = |nodes: &Nodes| [0, 1].map(|node| nodes.node(node).memory() / 1024);
    let (began, mut warm) = (Instant::now(), [0, 0]);
    for cycle in 0..CYCLES {
        let mut clients: Vec<Client> = (0..20).map(|_| nodes.node(2).connect()).collect();
        for (index, client) in clients.iter_mut().enumerate() {
            ask_to_join(client, CHANNEL, &user(index));
            client.expect_subscribed(CHANNEL);
            client.subscribe(&format!("of-{cycle}-{index}"));
        }
        witness.until(|witness| witness.roster.0.len() == 21);
        nodes.kill(2);
        drop(clients);
        // Every other time its successor is there before it is held for dead.
        if cycle % 2 == 0 {
            witness.until(|witness| witness.roster.0.len() == 1);
        }
        nodes.restart(2);
        witness.until(|witness| witness.roster.0.len() == 1);
        nodes.are_joined();
        if cycle + 1 == WARM {
            warm = memory(&nodes);
        }
    }
    witness.catch_up();
    for index in 0..20 {
        let times = [true, false].map(|added| witness.count(added, &user(index)));
        assert_eq!(times, [CYCLES; 2]);
    }
    for node in nodes.up() {
        node.wait_for("nothing is left", |metrics| metrics.sum("registry_channels") == 1.0);
        assert_eq!(subscriptions(node, CHANNEL), 1);
        eventually("one connection is left", || connections(node) == 1);
    }
    let last = memory(&nodes);
    let took = began.elapsed();
    println!(
        "{CYCLES} kills in {took:?}; KiB of the others: {warm:?} after {WARM}, {last:?} at the end"
    );
    for (warm, last) in warm.into_iter().zip(last) {
        assert!(last <= warm + 8 * 1024, "memory grows: {warm} -> {last} KiB");
    }
    nodes.have_no_bugs();
}

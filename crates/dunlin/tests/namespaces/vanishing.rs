//! A host that vanishes without a word, as one does whose power fails, and that comes back.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::roster::{Witness, join};
use testkit::ws::Client;

use super::network::Network;
use super::nodes::{CHANNEL, Node, are_one};

/// How long it may take until everybody has been told.
const BAR: Duration = Duration::from_secs(5);
const MEMBERS: usize = 20;
const ENV: [(&str, &str); 1] = [("ADAPTER_DRIVER", "cluster")];

#[test]
fn a_host_without_power_is_dead_in_time_and_its_successor_welcome() {
    let Some(network) = Network::switched(3) else { return };
    let mut nodes = Node::start_all(&network.hosts, &ENV);
    nodes.iter().for_each(|node| node.knows(2));
    let gone = nodes.pop().unwrap();
    let mut witnesses: Vec<Witness> =
        nodes.iter().enumerate().map(|(n, node)| node.witness(&format!("w{n}"))).collect();
    let mut members: Vec<Client> = (0..MEMBERS).map(|_| gone.connect()).collect();
    for (member, client) in members.iter_mut().enumerate() {
        join(client, CHANNEL, &format!("u{member}"));
    }
    witnesses
        .iter_mut()
        .for_each(|witness| witness.until(|witness| witness.roster.0.len() == MEMBERS + 2));

    network.unplug(2);
    let unplugged = Instant::now();
    // Its end is heard by nobody.
    drop((members, gone));
    let rest: BTreeSet<String> = ["w0", "w1"].map(String::from).into();
    thread::scope(|scope| {
        for witness in &mut witnesses {
            scope.spawn(|| witness.until(|witness| witness.roster.0 == rest));
        }
    });
    let took = unplugged.elapsed();
    println!("a host that vanished is dead after {took:?}");
    assert!(took < BAR, "its members are there after {took:?}");
    for (node, witness) in nodes.iter().zip(&mut witnesses) {
        witness.catch_up();
        for member in 0..MEMBERS {
            assert_eq!(witness.count(false, &format!("u{member}")), 1);
        }
        assert_eq!(node.users(), rest);
        node.knows(1);
        eventually("it says so", || node.logged("a node is dead") > 0);
        assert_eq!(node.logged("a node is dead"), 1);
    }

    network.plug(2);
    nodes.push(Node::start(&network.hosts[2], &ENV));
    let mut back = nodes[2].connect();
    join(&mut back, CHANNEL, "u0");
    for witness in &mut witnesses {
        witness.until(|witness| witness.count(true, "u0") == 2);
    }
    are_one(&nodes);
}

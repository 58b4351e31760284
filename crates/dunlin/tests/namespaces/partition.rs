//! A network that falls into two parts and is whole again.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::roster::{Witness, join};
use testkit::ws::Client;

use super::network::Network;
use super::nodes::{CHANNEL, Node, are_one};

/// How long it lasts: longer than anybody waits for a sign of life.
const LASTS: Duration = Duration::from_secs(5);
/// How long it may take until a change of the network has been seen through everywhere.
const BAR: Duration = Duration::from_secs(5);
/// Members on each node besides its witness; the first of them leaves during the partition.
const MEMBERS: usize = 10;

/// What happens to the network.
struct Fault<'a> {
    begin: &'a dyn Fn(),
    end: &'a dyn Fn(),
    /// Nodes of the same side still reach each other meanwhile.
    side: fn(usize) -> usize,
}

/// Who stays on a node all the time.
fn stays(node: usize) -> impl Iterator<Item = String> {
    (1..MEMBERS).map(move |member| user(node, member)).chain([witness(node)])
}

fn user(node: usize, member: usize) -> String {
    format!("u{node}-{member}")
}

fn witness(node: usize) -> String {
    format!("w{node}")
}

/// Who comes to a node during the partition.
fn new(node: usize) -> String {
    format!("new{node}")
}

/// Waits until the witness of each node sees exactly these users.
fn all_see(witnesses: &mut [Witness], users: impl Fn(usize) -> BTreeSet<String>) {
    thread::scope(|scope| {
        for (node, witness) in witnesses.iter_mut().enumerate() {
            let users = users(node);
            scope.spawn(move || witness.until(|witness| witness.roster.0 == users));
        }
    });
}

fn each_side_removes_the_other_once(network: &Network, env: &[(&str, &str)], fault: &Fault<'_>) {
    let nodes = Node::start_all(&network.hosts, env);
    nodes.iter().for_each(|node| node.knows(nodes.len() - 1));
    let all = 0..nodes.len();
    let mut witnesses: Vec<Witness> =
        all.clone().map(|node| nodes[node].witness(&witness(node))).collect();
    let enter = |node: usize, user: &str| {
        let mut client = nodes[node].connect();
        join(&mut client, CHANNEL, user);
        client
    };
    let mut members: Vec<Vec<Client>> = all
        .clone()
        .map(|node| (0..MEMBERS).map(|member| enter(node, &user(node, member))).collect())
        .collect();
    let before = |node: usize| stays(node).chain([user(node, 0)]);
    let after = |node: usize| stays(node).chain([new(node)]);
    all_see(&mut witnesses, |_| all.clone().flat_map(before).collect());
    witnesses.iter_mut().for_each(|witness| witness.seen.clear());

    (fault.begin)();
    let began = Instant::now();
    let together = |one: usize, other: usize| (fault.side)(one) == (fault.side)(other);
    all_see(&mut witnesses, |here| {
        all.clone().filter(|there| together(here, *there)).flat_map(before).collect()
    });
    let apart = began.elapsed();
    for (node, members) in members.iter_mut().enumerate() {
        members.remove(0).close();
        members.push(enter(node, &new(node)));
    }
    thread::sleep(LASTS.saturating_sub(began.elapsed()));

    (fault.end)();
    let ended = Instant::now();
    let everybody: BTreeSet<String> = all.clone().flat_map(after).collect();
    all_see(&mut witnesses, |_| everybody.clone());
    let whole = ended.elapsed();
    println!("the other side's members removed after {apart:?}, all back {whole:?} after the end");
    assert!(apart < BAR && whole < BAR, "apart after {apart:?}, whole after {whole:?}");
    eventually("backends are told the same", || nodes.iter().all(|n| n.users() == everybody));

    for (here, witness) in witnesses.iter_mut().enumerate() {
        witness.catch_up();
        assert_eq!(witness.roster.0, everybody);
        for there in all.clone() {
            let returns = usize::from(!together(here, there));
            let left = [user(there, 0)].map(|user| (user, [1, 0]));
            let came = [new(there)].map(|user| (user, [0, 1]));
            let stayed = stays(there).map(|user| (user, [returns, returns]));
            for (user, times) in stayed.chain(left).chain(came) {
                let seen = [false, true].map(|added| witness.count(added, &user));
                assert_eq!(seen, times, "how often {user} was removed and added on {here}");
            }
        }
    }
    are_one(&nodes);
}

/// Nobody's network device notices: the packets just do not arrive.
#[test]
fn switches_that_lose_each_other() {
    let Some(network) = Network::switched(3) else { return };
    let fault = Fault { begin: &|| network.split(), end: &|| network.join(), side: |n| n % 2 };
    each_side_removes_the_other_once(&network, &[("ADAPTER_DRIVER", "cluster")], &fault);
}

/// No hello crosses: the nodes have to remember where the others were.
#[test]
fn a_routed_host_that_is_unplugged_for_a_while() {
    let Some(network) = Network::routed(3) else { return };
    let peers: Vec<&str> = network.hosts.iter().map(|host| &*host.address).collect();
    let env = [("ADAPTER_DRIVER", "cluster"), ("CLUSTER_PEERS", &*peers.join(","))];
    let fault =
        Fault { begin: &|| network.unplug(0), end: &|| network.plug(0), side: |n| n.min(1) };
    each_side_removes_the_other_once(&network, &env, &fault);
}

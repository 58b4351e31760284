//! Nodes that find each other, and what a node says about the others.

use std::net::Ipv4Addr;

use serde_json::Value;
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes, free_port};
use testkit::process::Process;

/// With the defaults; only that a broadcast stays on this host.
#[test]
fn two_nodes_find_each_other_by_default() {
    let port = free_port().to_string();
    let env = [
        ("ADAPTER_DRIVER", "cluster"),
        ("CLUSTER_PORT", &*port),
        ("CLUSTER_BROADCAST_ADDRESS", "127.255.255.255"),
    ];
    let nodes = [Process::start(&env), Process::start(&env)];
    for node in &nodes {
        println!("from start to ready: {:?}", node.took);
        node.wait_for("the other one is ready", |metrics| {
            metrics.labelled("cluster_peers", "state=\"ready\"") == 1.0
        });
    }
    let mut client = nodes[0].connect();
    client.subscribe("a");
    nodes[1].publish("a", "e", "x");
    client.expect_event("e", "a", "x");
    assert_eq!(nodes[0].address.ip(), Ipv4Addr::LOCALHOST);
}

/// The page `/cluster`: its own incarnation, and those of the others, which must be ready.
fn page(node: &Process) -> (String, Vec<String>) {
    let page = node.page("/cluster").json();
    assert_eq!(page["ready"], true, "{page}");
    let incarnation = |value: &Value| value["incarnation"].as_str().unwrap().to_owned();
    let peers = page["peers"].as_array().unwrap();
    let mut ready: Vec<String> =
        peers.iter().filter(|peer| peer["ready"] == true).map(incarnation).collect();
    ready.sort();
    (incarnation(&page), ready)
}

pub(crate) fn the_page_shows_who_is_there(adapter: &Adapter) {
    let mut nodes = Nodes::start(adapter, 3, &[]);
    let all: Vec<String> = nodes.up().map(|node| page(node).0).collect();
    let others = |own: &str, up: &[String]| {
        let mut others: Vec<String> = up.iter().filter(|other| *other != own).cloned().collect();
        others.sort();
        others
    };
    for node in nodes.up() {
        let (own, peers) = page(node);
        assert_eq!(peers, others(&own, &all));
    }
    nodes.kill(2);
    for node in nodes.up() {
        eventually("the dead node disappears", || page(node).1 == others(&page(node).0, &all[..2]));
        assert_eq!(node.logged("a node is dead"), 1);
    }
    nodes.restart(2);
    for node in nodes.up() {
        eventually("its successor appears", || page(node).1.len() == 2);
        assert!(!page(node).1.contains(&all[2]), "it is a new incarnation");
    }
    nodes.terminate(2);
    for node in nodes.up() {
        // It says goodbye, so nobody waits for it to be silent.
        eventually("the node that left disappears", || page(node).1.len() == 1);
        assert_eq!(node.logged("a node has left"), 1);
    }
}

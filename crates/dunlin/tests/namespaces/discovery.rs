//! How nodes on several hosts find each other without a name server or a broker.

use super::network::{Host, Network};
use super::nodes::{Node, are_one};

const CLUSTER: (&str, &str) = ("ADAPTER_DRIVER", "cluster");

/// The hosts, each for two processes.
fn twice(hosts: &[Host]) -> impl Iterator<Item = &Host> {
    hosts.iter().chain(hosts)
}

/// Two processes on each host, of which one has a TCP port of the system's choice.
#[test]
fn default_options_are_enough_on_one_network() {
    let Some(network) = Network::switched(2) else { return };
    are_one(&Node::start_all(twice(&network.hosts), &[CLUSTER]));
}

#[test]
fn a_node_that_comes_later_finds_the_others() {
    let Some(network) = Network::switched(3) else { return };
    let mut nodes = Node::start_all(&network.hosts[..2], &[CLUSTER]);
    nodes.iter().for_each(|node| node.knows(1));
    nodes.push(Node::start(&network.hosts[2], &[CLUSTER]));
    assert_eq!(nodes[2].peers(), 2, "it has not been ready before it knew them");
    are_one(&nodes);
}

/// Packets to 255.255.255.255 take the default route, and here is none.
#[test]
fn the_address_of_the_network_is_enough_without_a_router() {
    let Some(network) = Network::switched(2) else { return };
    network.hosts.iter().for_each(|host| host.space.ip("route del default"));
    let env = [CLUSTER, ("CLUSTER_BROADCAST_ADDRESS", "10.77.0.255")];
    are_one(&Node::start_all(twice(&network.hosts), &env));
}

#[test]
fn multicast() {
    let Some(network) = Network::switched(2) else { return };
    let env = [CLUSTER, ("CLUSTER_MULTICAST_ADDRESS", "239.255.42.1")];
    are_one(&Node::start_all(twice(&network.hosts), &env));
}

/// One host sends its hellos elsewhere, and hears those that come on the other's network.
#[test]
fn multicast_is_heard_on_every_network() {
    let Some(network) = Network::switched(2) else { return };
    let space = &network.hosts[0].space;
    space.ip("link add elsewhere type veth peer name nobody");
    space.ip("addr add 10.78.0.1/24 dev elsewhere");
    ["elsewhere", "nobody"].iter().for_each(|end| space.ip(&format!("link set {end} up")));
    space.ip("route replace default dev elsewhere");
    let env = [CLUSTER, ("CLUSTER_MULTICAST_ADDRESS", "239.255.42.1")];
    are_one(&Node::start_all(&network.hosts, &env));
}

/// Hellos to the hosts one by one, on networks that no broadcast crosses.
#[test]
fn unicast_crosses_networks() {
    let Some(network) = Network::routed(3) else { return };
    let addresses: Vec<&str> = network.hosts.iter().map(|host| &*host.address).collect();
    let env = [CLUSTER, ("CLUSTER_UNICAST_ADDRESSES", &*addresses.join(","))];
    are_one(&Node::start_all(twice(&network.hosts), &env));
}

/// All know the first host only, and learn of the others there; also of the process that has
/// another port.
#[test]
fn a_list_of_one_peer_leads_to_all() {
    let Some(network) = Network::routed(3) else { return };
    let first = format!("{}:11002", network.hosts[0].address);
    let env = [CLUSTER, ("CLUSTER_PEERS", &*first)];
    are_one(&Node::start_all(twice(&network.hosts), &env));
}

/// The process there cannot tell the others where this one is: it knows it on loopback.
#[test]
fn another_process_on_a_listed_host_knows_all_when_it_is_ready() {
    let Some(network) = Network::routed(4) else { return };
    let first = format!("{}:11002", network.hosts[0].address);
    let env = [CLUSTER, ("CLUSTER_PEERS", &*first)];
    let mut nodes = Node::start_all(&network.hosts, &env);
    nodes.iter().for_each(|node| node.knows(3));
    nodes.push(Node::start(&network.hosts[0], &env));
    assert_eq!(nodes[4].peers(), 4, "it has not been ready before it knew them");
    are_one(&nodes);
}

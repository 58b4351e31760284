//! Hosts that a broker joins: on one network, or on several that have nothing else in common.

use std::net::TcpStream;
use std::process::{Child, Stdio};

use testkit::{Folder, eventually};

use super::network::Network;
use super::nodes::{Node, are_one};
use super::space::skip;

/// A broker between the hosts.
struct Broker {
    child: Child,
    _folder: Folder,
}

impl Broker {
    fn start(network: &Network, port: u16, words: &str) -> Self {
        let folder = Folder::new();
        let (program, arguments) = words.split_once(' ').unwrap();
        let child = network
            .middle
            .command(program)
            .args(arguments.split(' ').map(|word| word.trim_matches('\'')))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the broker listens", || {
            network.middle.within(|| TcpStream::connect(("127.0.0.1", port)).is_ok())
        });
        Broker { child, _folder: folder }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is such a program; says so if not.
fn there_is(program: &str) -> bool {
    let found = std::process::Command::new(program).arg("--version").output();
    found.map_err(|error| skip(&format!("{program}: {error}"))).is_ok()
}

fn redis(network: Option<Network>) {
    let Some(network) = network else { return };
    if !there_is("redis-server") {
        return;
    }
    let redis =
        "redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save '' --daemonize no";
    let _redis = Broker::start(&network, 6379, redis);
    // Each by the address that it has on the host's network.
    let nodes: Vec<Node<'_>> = network
        .hosts
        .iter()
        .map(|host| {
            let env = [("ADAPTER_DRIVER", "redis"), ("DB_REDIS_HOST", &*host.gateway)];
            Node::start(host, &env)
        })
        .collect();
    are_one(&nodes);
}

#[test]
fn redis_on_one_network() {
    redis(Network::switched(3));
}

#[test]
fn redis_joins_networks_that_do_not_reach_each_other() {
    redis(Network::separate(3));
}

#[test]
fn nats_joins_networks_that_do_not_reach_each_other() {
    let Some(network) = Network::separate(3) else { return };
    if !there_is("nats-server") {
        return;
    }
    let _nats = Broker::start(&network, 4222, "nats-server --addr 0.0.0.0 --port 4222");
    let nodes: Vec<Node<'_>> = network
        .hosts
        .iter()
        .map(|host| {
            let servers = format!("[\"{}:4222\"]", host.gateway);
            Node::start(host, &[("ADAPTER_DRIVER", "nats"), ("ADAPTER_NATS_SERVERS", &*servers)])
        })
        .collect();
    are_one(&nodes);
}

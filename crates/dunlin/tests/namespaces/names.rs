//! Nodes that find each other by a name that stands for all of them, such as a headless service.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use testkit::Folder;

use super::network::{Host, Network};
use super::nodes::{Node, are_one};
use super::space::skip;

/// A name server between the hosts.
struct Names {
    child: Child,
    folder: Folder,
}

impl Names {
    /// Knows nothing yet. None if there is no `dnsmasq`.
    fn start(network: &Network) -> Option<Self> {
        let folder = Folder::new();
        let file = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(file("hosts"), "").unwrap();
        let found = std::process::Command::new("dnsmasq").arg("--version").output();
        if let Err(error) = found {
            skip(&format!("dnsmasq: {error}"));
            return None;
        }
        let mut child = network
            .middle
            .command("dnsmasq")
            .args(["--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-"])
            .args(["--user=root", "--no-resolv", "--no-hosts", "--local=/test/"])
            .args([
                format!("--addn-hosts={}", file("hosts")),
                format!("--pid-file={}", file("pid")),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("started")), "the name server does not start");
        // What it says later is not of interest, but it must be able to say it.
        std::thread::spawn(move || lines.for_each(drop));
        network.hosts.iter().for_each(|host| host.space.set_name_server(&host.gateway));
        Some(Names { child, folder })
    }

    /// The name stands for these hosts from now on.
    fn publish(&self, hosts: &[Host]) {
        let lines: String =
            hosts.iter().map(|host| host.address.clone() + " nodes.test\n").collect();
        std::fs::write(self.folder.path().join("hosts"), lines).unwrap();
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ENV: [(&str, &str); 2] = [("ADAPTER_DRIVER", "cluster"), ("CLUSTER_DNS", "nodes.test")];

#[test]
fn a_name_of_many_addresses_is_enough() {
    let Some(network) = Network::routed(3) else { return };
    let Some(names) = Names::start(&network) else { return };
    names.publish(&network.hosts);
    are_one(&Node::start_all(&network.hosts, &ENV));
}

/// A headless service knows only hosts that are ready: none at first.
#[test]
fn a_name_may_be_unknown_at_first_and_grow() {
    let Some(network) = Network::routed(3) else { return };
    let Some(names) = Names::start(&network) else { return };
    let mut nodes = Node::start_all(&network.hosts[..2], &ENV);
    nodes.iter().for_each(|node| node.knows(0));
    names.publish(&network.hosts[..2]);
    nodes.iter().for_each(|node| node.knows(1));
    nodes.push(Node::start(&network.hosts[2], &ENV));
    names.publish(&network.hosts);
    are_one(&nodes);
}

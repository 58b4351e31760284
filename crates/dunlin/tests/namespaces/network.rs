//! Hosts and what is between them.

use super::space::{Space, skip};

/// Hosts, until it is dropped; whatever runs on them has to be dropped before.
pub(crate) struct Network {
    pub(crate) hosts: Vec<Host>,
    /// The switches, or the router.
    pub(crate) middle: Space,
}

/// One host.
pub(crate) struct Host {
    pub(crate) space: Space,
    pub(crate) address: String,
    /// The address of what is between the hosts.
    pub(crate) gateway: String,
    /// The other end of its cable.
    port: String,
}

impl Network {
    /// So many hosts of one network with two switches: hosts with even numbers are at the first
    /// one, the others at the second. None if this machine does not allow that.
    pub(crate) fn switched(count: usize) -> Option<Self> {
        let mut network = Self::new(count)?;
        let middle = &network.middle;
        middle.ip("link add trunk0 type veth peer name trunk1");
        for side in [0, 1] {
            middle.ip(&format!("link add switch{side} type bridge"));
            middle.ip(&format!("link set switch{side} up"));
            middle.ip(&format!("link set trunk{side} master switch{side} up"));
        }
        middle.ip("addr add 10.77.0.254/24 dev switch0");
        for (number, host) in network.hosts.iter_mut().enumerate() {
            let side = number % 2;
            middle.ip(&format!("link set {} master switch{side} up", host.port));
            host.configure(format!("10.77.0.{}", number + 1), "10.77.0.254".into());
        }
        Some(network)
    }

    /// So many hosts on a network each, with a router between them. None if this machine does not
    /// allow that.
    pub(crate) fn routed(count: usize) -> Option<Self> {
        let network = Self::separate(count)?;
        network.forward("1");
        Some(network)
    }

    /// So many hosts on a network each; all reach the middle, and not each other. None if this
    /// machine does not allow that.
    pub(crate) fn separate(count: usize) -> Option<Self> {
        let mut network = Self::new(count)?;
        for (number, host) in network.hosts.iter_mut().enumerate() {
            let gateway = format!("10.77.{number}.1");
            network.middle.ip(&format!("addr add {gateway}/24 dev {}", host.port));
            network.middle.ip(&format!("link set {} up", host.port));
            host.configure(format!("10.77.{number}.2"), gateway);
        }
        network.forward("0");
        Some(network)
    }

    /// Whether the middle is a router.
    fn forward(&self, flag: &str) {
        let set = || std::fs::write("/proc/sys/net/ipv4/ip_forward", flag);
        self.middle.within(set).unwrap();
    }

    fn new(count: usize) -> Option<Self> {
        let made = Space::new().and_then(|middle| {
            let hosts: Result<Vec<Host>, String> =
                (0..count).map(|number| Host::new(&middle, format!("port{number}"))).collect();
            Ok(Network { hosts: hosts?, middle })
        });
        made.map_err(|why| skip(&why)).ok()
    }

    /// Nothing passes between the switches any more, which no host notices by itself.
    pub(crate) fn split(&self) {
        self.middle.ip("link set trunk0 nomaster");
    }

    /// Takes that back.
    pub(crate) fn join(&self) {
        self.middle.ip("link set trunk0 master switch0");
    }

    /// Pulls the cable of a host out.
    pub(crate) fn unplug(&self, number: usize) {
        self.middle.ip(&format!("link set {} down", self.hosts[number].port));
    }

    /// Puts it in again.
    pub(crate) fn plug(&self, number: usize) {
        self.middle.ip(&format!("link set {} up", self.hosts[number].port));
    }
}

impl Host {
    fn new(middle: &Space, port: String) -> Result<Self, String> {
        let space = Space::new()?;
        middle.ip(&format!("link add {port} type veth peer name eth0 netns {}", space.name));
        Ok(Host { space, address: String::new(), gateway: String::new(), port })
    }

    fn configure(&mut self, address: String, gateway: String) {
        self.space.ip(&format!("addr add {address}/24 dev eth0"));
        self.space.ip("link set eth0 up");
        self.space.ip(&format!("route add default via {gateway}"));
        (self.address, self.gateway) = (address, gateway);
    }
}

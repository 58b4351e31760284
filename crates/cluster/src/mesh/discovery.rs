//! Saying hello and hearing it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::config::Discovery;
use super::hello::{Hello, HelloError, MAX_HELLO};
use super::node::{MeshNode, at_port};
use super::resolve::keep_resolving;
use super::udp::{self, THIS_HOST, Udp};

/// Says this node's hellos, and hears those of others.
pub(super) struct Discoverer {
    node: Rc<MeshNode>,
    udp: Udp,
    host: IpAddr,
    port: u16,
    every: Duration,
    /// Addresses that reach many.
    targets: Vec<SocketAddr>,
    /// What the names to say hello to resolve to.
    unicast: RefCell<HashMap<String, Vec<SocketAddr>>>,
    /// To whom the last hello could not be sent, and why.
    failing: RefCell<HashMap<SocketAddr, io::ErrorKind>>,
}

impl Discoverer {
    /// Begins to say and to hear hellos every so often, in tasks of the node.
    pub(super) fn start(
        node: &Rc<MeshNode>,
        udp: Udp,
        (host, port): (IpAddr, u16),
        every: Duration,
        discovery: &Discovery,
    ) {
        let this = Rc::new(Discoverer {
            node: node.clone(),
            udp,
            host,
            port,
            every: every.max(Duration::from_millis(1)),
            targets: udp::targets(discovery, port),
            unicast: RefCell::default(),
            failing: RefCell::default(),
        });
        if let Discovery::Unicast(names) = discovery {
            for name in names {
                let (this, name) = (this.clone(), name.clone());
                let found = {
                    let name = name.clone();
                    move |all| drop(this.unicast.borrow_mut().insert(name.clone(), all))
                };
                node.finders.spawn(keep_resolving(node.clone(), name, port, found));
            }
        }
        for socket in this.udp.sockets() {
            node.finders.spawn(this.clone().hear(socket.clone()));
        }
        node.finders.spawn(this.say());
    }

    /// Says hello to everybody, for ever.
    async fn say(self: Rc<Self>) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Whoever knows nobody wants to be answered.
            let hello = self.hello(self.node.links.len() == 0);
            let unicast: Vec<_> = self.unicast.borrow().values().flatten().copied().collect();
            for target in self.targets.iter().chain(&unicast) {
                self.send(&hello, *target).await;
            }
        }
    }

    /// Hears hellos on one socket, for ever.
    async fn hear(self: Rc<Self>, socket: Rc<UdpSocket>) {
        // One byte more than a hello may have, so that longer ones do not look like shorter ones.
        let mut buffer = vec![0; MAX_HELLO + 1];
        loop {
            match socket.recv_from(&mut buffer).await {
                Ok((length, source)) if length <= MAX_HELLO => {
                    self.heard(&buffer[..length], source).await;
                }
                Ok(_) => self.node.counters.strangers.add(),
                Err(error) => {
                    self.node.warn(format!("mesh cannot hear hellos: {error}"));
                    sleep(self.every).await;
                }
            }
        }
    }

    async fn heard(&self, datagram: &[u8], source: SocketAddr) {
        let identity = &self.node.identity;
        let hello = match Hello::decode(datagram, identity.realm, &identity.secret) {
            Ok(hello) if hello.incarnation == identity.incarnation => return, // our own
            Ok(hello) => hello,
            Err(HelloError::Foreign | HelloError::WrongRealm) => {
                return self.node.counters.strangers.add();
            }
            Err(error @ HelloError::WrongSecret { .. }) => {
                self.node.counters.refused_secrets.add();
                return self.node.warn(format!("mesh refuses {}: {error}", source.ip()));
            }
        };
        self.node.counters.hellos_heard.add();
        let ip = source.ip();
        let lifetime = (self.every * 10).max(Duration::from_secs(5));
        let address = at_port(source, hello.port);
        self.node.suggest(address, Some(hello.incarnation), lifetime);
        if hello.asks {
            // On this host, several processes share the port that a direct answer would go to.
            let here = ip.is_loopback() || ip == self.host;
            let target = if here { (THIS_HOST, self.port).into() } else { source };
            self.send(&self.hello(false), target).await;
        }
    }

    fn hello(&self, asks: bool) -> Vec<u8> {
        let identity = &self.node.identity;
        let (incarnation, port) = (identity.incarnation, identity.port);
        Hello { incarnation, name: identity.name.clone(), port, asks }
            .encode(identity.realm, &identity.secret)
    }

    /// Sends a hello. That it cannot be is nothing unusual: a network may not take broadcasts, or
    /// not be there yet. It is logged when it begins, changes and ends.
    async fn send(&self, hello: &[u8], target: SocketAddr) {
        let sent = self.udp.send(hello, target).await;
        let mut failing = self.failing.borrow_mut();
        match sent {
            Ok(()) => {
                self.node.counters.hellos_sent.add();
                if failing.remove(&target).is_some() {
                    tracing::info!(%target, "mesh hellos can be sent again");
                }
            }
            Err(error) => {
                if failing.len() < 1000
                    && failing.insert(target, error.kind()) != Some(error.kind())
                {
                    let hint = if target.ip() == Ipv4Addr::BROADCAST {
                        "; a host without a default route has to name its network's own address"
                    } else {
                        ""
                    };
                    tracing::warn!(%target, %error, "mesh hellos cannot be sent{hint}");
                }
            }
        }
    }
}

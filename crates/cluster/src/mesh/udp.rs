//! The UDP sockets of a node: where hellos go out and come in.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::config::{Discovery, MeshError};

/// Reaches every process of this host that listens on the port, on loopback. (A datagram to
/// 127.0.0.1 would reach only one of several that share the port.)
pub(super) const THIS_HOST: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

/// All sockets have the same port, and share it with those of other processes.
///
/// A socket that is bound to one address hears nothing that is sent to a broadcast or multicast
/// address, so such a node has sockets that are bound to those addresses, to hear only.
pub(super) struct Udp {
    v4: Option<Rc<UdpSocket>>,
    v6: Option<Rc<UdpSocket>>,
    ears: Vec<Rc<UdpSocket>>,
}

impl Udp {
    /// Opens the sockets of a node that listens on `host`; an unspecified IPv6 address stands for
    /// both families.
    ///
    /// # Errors
    /// The port cannot be opened, or the group cannot be joined.
    pub(super) fn open(host: IpAddr, port: u16, discovery: &Discovery) -> Result<Udp, MeshError> {
        if *discovery == Discovery::Off {
            return Ok(Udp { v4: None, v6: None, ears: Vec::new() });
        }
        let v4 = match host {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(ip) => ip.is_unspecified().then_some(Ipv4Addr::UNSPECIFIED),
        };
        let v6 = if let IpAddr::V6(ip) = host { Some(ip) } else { None };
        let group = if let Discovery::Multicast(group) = discovery { Some(*group) } else { None };
        let open = |ip: IpAddr| {
            let address = SocketAddr::new(ip, port);
            socket(address, host, group).map_err(|error| MeshError::Bind {
                protocol: "UDP",
                address,
                error,
            })
        };
        let mut udp = Udp {
            v4: v4.map(|ip| open(ip.into())).transpose()?,
            v6: v6.map(|ip| open(ip.into())).transpose()?,
            ears: Vec::new(),
        };
        if !host.is_unspecified() {
            let broadcast = targets(discovery, port).into_iter().map(|target| target.ip());
            for ip in broadcast.filter(|ip| ip.is_ipv4() == host.is_ipv4()) {
                match open(ip) {
                    Ok(ear) => udp.ears.push(ear),
                    // Not every system allows that, and no network has every broadcast address.
                    Err(error) => tracing::warn!(%error, "mesh cannot hear what is sent there"),
                }
            }
        }
        Ok(udp)
    }

    /// Everything that can be heard on.
    pub(super) fn sockets(&self) -> impl Iterator<Item = &Rc<UdpSocket>> {
        self.v4.iter().chain(&self.v6).chain(&self.ears)
    }

    /// Sends a datagram.
    pub(super) async fn send(&self, datagram: &[u8], target: SocketAddr) -> io::Result<()> {
        let socket = if target.is_ipv4() { &self.v4 } else { &self.v6 };
        let Some(socket) = socket else {
            let reason = "the cluster host is an address of the other family";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        };
        socket.send_to(datagram, target).await.map(drop)
    }
}

/// The addresses that reach many at once.
pub(super) fn targets(discovery: &Discovery, port: u16) -> Vec<SocketAddr> {
    let mut targets = vec![IpAddr::from(THIS_HOST)];
    match discovery {
        Discovery::Off => targets.clear(),
        Discovery::Multicast(group) => targets.push(*group),
        Discovery::Broadcast(address) => targets.extend(address.parse::<IpAddr>()),
        Discovery::Unicast(_) => {}
    }
    targets.dedup();
    targets.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()
}

/// A socket at `address`, which has joined `group`, if that is of the same family, on the network
/// that `host` is on, or on all.
fn socket(address: SocketAddr, host: IpAddr, group: Option<IpAddr>) -> io::Result<Rc<UdpSocket>> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    } else {
        socket.set_broadcast(true)?;
    }
    socket.bind(&address.into())?;
    match (group, address.ip()) {
        (Some(IpAddr::V4(group)), IpAddr::V4(_)) => join_v4(&socket, group, host)?,
        (Some(IpAddr::V6(group)), IpAddr::V6(_)) => {
            socket.set_multicast_loop_v6(true)?;
            let join = |network| socket.join_multicast_v6(&group, network);
            networks(host).into_iter().fold(join(0), |joined, network| joined.or(join(network)))?;
        }
        _ => {}
    }
    Ok(Rc::new(UdpSocket::from_std(socket.into())?))
}

fn join_v4(socket: &Socket, group: Ipv4Addr, host: IpAddr) -> io::Result<()> {
    socket.set_multicast_loop_v4(true)?;
    match host {
        IpAddr::V4(host) if !host.is_unspecified() => {
            socket.set_multicast_if_v4(&host)?;
            socket.join_multicast_v4(&group, &host)
        }
        // The network of the default route, where it is sent to; and all that can be heard. One is
        // enough, and systems set limits to how many there may be.
        _ => {
            let default = socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED);
            let join = |network| {
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(network))
            };
            networks(host).into_iter().fold(default, |joined, network| joined.or(join(network)))
        }
    }
}

/// The numbers of this host's networks: of the one that `host` is on, or of all.
fn networks(host: IpAddr) -> BTreeSet<u32> {
    // Without a list there is still the default.
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let heard = all.iter().filter(|at| host.is_unspecified() || at.ip() == host);
    heard.filter_map(|at| at.index).collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::time::Duration;

    use super::*;

    const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn broadcast() -> Discovery {
        Discovery::Broadcast(THIS_HOST.to_string())
    }

    /// How many of a node's sockets hear a datagram that is sent to `target`.
    async fn hear(udp: &Udp, target: SocketAddr) -> usize {
        udp.send(b"hello", target).await.unwrap();
        let mut heard = 0;
        for socket in udp.sockets() {
            let mut buffer = [0; 8];
            let receive = socket.recv(&mut buffer);
            if tokio::time::timeout(Duration::from_millis(100), receive).await.is_ok() {
                assert_eq!(&buffer[..5], b"hello");
                heard += 1;
            }
        }
        heard
    }

    fn free_port() -> u16 {
        std::net::UdpSocket::bind((LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn all_processes_of_a_host_hear_what_is_sent_to_it() {
        for host in [LOCALHOST, Ipv4Addr::UNSPECIFIED.into()] {
            let port = free_port();
            let one = Udp::open(host, port, &broadcast()).unwrap();
            let two = Udp::open(host, port, &Discovery::Unicast(Vec::new())).unwrap();
            let target = (THIS_HOST, port).into();
            assert_eq!(hear(&one, target).await, 1, "{host}");
            let mut buffer = [0; 8];
            let heard = two.sockets().any(|socket| socket.try_recv(&mut buffer).is_ok());
            assert!(heard, "{host}");
        }
    }

    #[tokio::test]
    async fn a_group_is_joined_on_the_network_of_the_host() {
        let (group, port) = (Ipv4Addr::new(239, 255, 42, 1), free_port());
        let udp = Udp::open(LOCALHOST, port, &Discovery::Multicast(group.into())).unwrap();
        assert_eq!(hear(&udp, (group, port).into()).await, 1);
    }

    #[tokio::test]
    async fn hellos_of_another_family_are_not_sent() {
        let udp = Udp::open(LOCALHOST, free_port(), &broadcast()).unwrap();
        let error = udp.send(b"hello", (Ipv6Addr::LOCALHOST, 1).into()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }

    #[tokio::test]
    async fn without_discovery_no_port_is_opened() {
        let udp = Udp::open(LOCALHOST, free_port(), &Discovery::Off).unwrap();
        assert_eq!(udp.sockets().count(), 0);
    }

    #[test]
    fn every_way_of_discovery_reaches_this_host_once() {
        let of = |discovery| targets(&discovery, 7).iter().map(ToString::to_string).collect();
        let all = Discovery::Broadcast("255.255.255.255".into());
        let expected: [Vec<_>; 3] =
            [vec!["127.255.255.255:7", "255.255.255.255:7"], vec!["127.255.255.255:7"], vec![]];
        let found: [Vec<String>; 3] = [of(all), of(broadcast()), of(Discovery::Off)];
        assert_eq!(found, expected);
    }
}

//! Which connection to each peer is the one that we send on.
//!
//! Two nodes may connect to each other twice: when both dial at once, or when one redials before
//! the other has noticed that the old connection is gone. Both ends rank the connections alike
//! ([`Rank`]) and keep the highest; each ceases to send on the other one, which is closed when it
//! has been read to its end. So nothing is lost, and no two decisions are needed to agree.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use tokio::sync::Notify;

use super::message::Address;
use crate::{Incarnation, PeerInfo};

/// In what peers tell: another process on the host of whoever tells it.
pub(super) const SAME_HOST: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Orders the connections between two nodes, the same at both ends: those dialled by the smaller
/// incarnation win, and among one dialler's the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) by_smaller: bool,
    pub(super) attempt: u64,
}

/// One connection to a peer, as the rest of the node sees it.
pub(super) struct Link {
    pub(super) peer: PeerInfo,
    /// Where the peer accepts connections.
    pub(super) address: SocketAddr,
    pub(super) rank: Rank,
    /// There is something to send, or nothing more to be sent.
    pub(super) woken: Notify,
    /// The peer has not been told the present list of addresses.
    pub(super) untold: Cell<bool>,
}

/// For each peer the connection to send on.
#[derive(Default)]
pub(super) struct Links {
    table: RefCell<BTreeMap<Incarnation, Rc<Link>>>,
    changed: Notify,
}

impl Links {
    /// Takes notice of a new connection. Whether it is now the one to send on.
    pub(super) fn add(&self, link: &Rc<Link>) -> bool {
        let mut table = self.table.borrow_mut();
        let peer = link.peer.incarnation;
        if table.get(&peer).is_some_and(|old| old.rank > link.rank) {
            return false;
        }
        if let Some(old) = table.insert(peer, link.clone()) {
            old.woken.notify_one();
        }
        table.values().for_each(|link| link.tell());
        self.changed.notify_waiters();
        true
    }

    /// A connection has ended. Whether it was the one to send on.
    pub(super) fn remove(&self, link: &Rc<Link>) -> bool {
        let current = self.is_current(link);
        if current {
            self.table.borrow_mut().remove(&link.peer.incarnation);
            self.changed.notify_waiters();
        }
        current
    }

    /// Whether to send on this connection.
    pub(super) fn is_current(&self, link: &Rc<Link>) -> bool {
        let table = self.table.borrow();
        table.get(&link.peer.incarnation).is_some_and(|current| Rc::ptr_eq(current, link))
    }

    /// Whether there is a connection to this peer.
    pub(super) fn has(&self, peer: Incarnation) -> bool {
        self.table.borrow().contains_key(&peer)
    }

    /// How many peers there is a connection to.
    pub(super) fn len(&self) -> usize {
        self.table.borrow().len()
    }

    #[cfg(test)]
    pub(super) fn ranks(&self) -> Vec<Rank> {
        self.table.borrow().values().map(|link| link.rank).collect()
    }

    /// There is something to send to this peer.
    pub(super) fn wake(&self, peer: Incarnation) {
        if let Some(link) = self.table.borrow().get(&peer) {
            link.woken.notify_one();
        }
    }

    /// Something has changed for all of them.
    pub(super) fn wake_all(&self) {
        self.table.borrow().values().for_each(|link| link.woken.notify_one());
    }

    /// Every peer is told where the others are.
    pub(super) fn tell_all(&self) {
        self.table.borrow().values().for_each(|link| link.tell());
    }

    /// What to tell a peer: where all others are, as far as it can reach them there. Those on
    /// loopback are where we are, and the peer knows where that is: see [`SAME_HOST`].
    pub(super) fn others(&self, than: &Link) -> Vec<Address> {
        let local = than.address.ip().is_loopback();
        let elsewhere = |mut address: SocketAddr| {
            if !local && address.ip().is_loopback() {
                address.set_ip(SAME_HOST);
            }
            address
        };
        let table = self.table.borrow();
        let others = table.values().filter(|link| link.peer.incarnation != than.peer.incarnation);
        others
            .filter(|link| local || !is_link_local(link.address.ip()))
            .map(|link| (link.peer.incarnation, elsewhere(link.address)))
            .collect()
    }

    /// Waits until `condition` holds, which depends on what there are connections to.
    pub(super) async fn until(&self, condition: impl Fn(&Self) -> bool) {
        while !condition(self) {
            self.changed.notified().await;
        }
    }
}

impl Link {
    fn tell(&self) {
        self.untold.set(true);
        self.woken.notify_one();
    }
}

/// Whether an address means nothing to other hosts.
fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(peer: u64, address: &str, by_smaller: bool, attempt: u64) -> Rc<Link> {
        let incarnation = Incarnation(peer);
        Rc::new(Link {
            peer: PeerInfo { incarnation, name: String::new(), version: 1, agreement: 1 },
            address: address.parse().unwrap(),
            rank: Rank { by_smaller, attempt },
            woken: Notify::new(),
            untold: Cell::new(false),
        })
    }

    fn to_one(by_smaller: bool, attempt: u64) -> Rc<Link> {
        link(1, "10.0.0.1:1", by_smaller, attempt)
    }

    #[test]
    fn both_ends_keep_the_same_connection_in_whatever_order_they_see_them() {
        let all = [to_one(false, 9), to_one(true, 3), to_one(true, 4), to_one(false, 10)];
        for first in 0..all.len() {
            for second in 0..all.len() {
                let links = Links::default();
                links.add(&all[first]);
                links.add(&all[second]);
                all.iter().for_each(|link| _ = links.add(link));
                assert!(links.is_current(&all[2]));
            }
        }
    }

    #[test]
    fn the_end_of_a_connection_that_was_replaced_changes_nothing() {
        let (links, old, new) = (Links::default(), to_one(true, 1), to_one(true, 2));
        assert!(links.add(&old) && links.add(&new));
        assert!(!links.remove(&old));
        assert!(links.has(Incarnation(1)));
        assert!(links.remove(&new));
        assert_eq!(links.len(), 0);
    }

    #[test]
    fn loopback_addresses_stay_on_the_host() {
        let links = Links::default();
        let all = [
            link(1, "10.0.0.1:1", true, 1),
            link(2, "127.0.0.1:2", true, 1),
            link(3, "127.0.0.1:3", true, 1),
        ];
        all.iter().for_each(|link| assert!(links.add(link)));
        let told =
            |to: &Link| links.others(to).iter().map(|at| at.1.to_string()).collect::<Vec<_>>();
        assert_eq!(told(&all[0]), ["0.0.0.0:2", "0.0.0.0:3"]);
        assert_eq!(told(&all[1]), ["10.0.0.1:1", "127.0.0.1:3"]);
        assert!(all.iter().all(|link| link.untold.get()));
    }
}

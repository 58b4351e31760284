//! Nodes that join and leave members as the server does, the streams between them, and the truth.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use channels::reservations::{
    Decision, Join, Members, PeerIndex, Request, ReservationId, ReservationMessage, Reservations,
};

/// The one channel.
const CHANNEL: &str = "presence-room";

/// What is in a stream.
#[derive(Clone, Debug)]
enum Item {
    Joined(u32),
    Left(u32),
    Claims(ReservationMessage),
    /// What came before may be incomplete: these are all members.
    Restart(BTreeSet<u32>),
}

/// A stream with the number of its next entry.
#[derive(Default)]
struct Stream {
    items: VecDeque<(u64, Item)>,
    next: u64,
    /// Everything below has been delivered, and that is known to the sender.
    acked: u64,
}

/// Members by node.
#[derive(Default)]
struct Union {
    me: PeerIndex,
    of: BTreeMap<PeerIndex, BTreeSet<u32>>,
}

pub(crate) struct Node {
    claims: Reservations<&'static str>,
    union: Union,
    waiting: BTreeMap<ReservationId, u32>,
    /// Where in each peer's stream a member is.
    told: BTreeMap<u32, BTreeMap<PeerIndex, u64>>,
}

pub(crate) struct World {
    nodes: BTreeMap<PeerIndex, Node>,
    streams: BTreeMap<(PeerIndex, PeerIndex), Stream>,
    reservations: ReservationId,
    last: PeerIndex,
    pub(crate) limit: usize,
    /// Whether there may never be more.
    is_exact: bool,
}

impl Members for Union {
    fn count(&self) -> usize {
        self.of.values().flatten().collect::<BTreeSet<_>>().len()
    }

    fn has(&self, user: &str) -> bool {
        let user = user.parse().unwrap();
        self.of.values().any(|users| users.contains(&user))
    }

    fn has_here(&self, user: &str) -> bool {
        self.of.get(&self.me).is_some_and(|users| users.contains(&user.parse().unwrap()))
    }
}

impl Union {
    fn of(&mut self, node: PeerIndex) -> &mut BTreeSet<u32> {
        self.of.entry(node).or_default()
    }
}

impl World {
    pub(crate) fn new(nodes: PeerIndex, limit: usize, is_exact: bool) -> Self {
        let mut world = World {
            nodes: BTreeMap::new(),
            streams: BTreeMap::new(),
            reservations: 0,
            last: 0,
            limit,
            is_exact,
        };
        (0..nodes).for_each(|_| world.up());
        world.settle();
        world
    }

    pub(crate) fn names(&self) -> Vec<PeerIndex> {
        self.nodes.keys().copied().collect()
    }

    /// How many distinct users are connected.
    pub(crate) fn members(&self) -> usize {
        let of =
            |(me, node): (&PeerIndex, &Node)| node.union.of.get(me).cloned().unwrap_or_default();
        self.nodes.iter().flat_map(of).collect::<BTreeSet<u32>>().len()
    }

    pub(crate) fn waiting(&self, node: PeerIndex) -> usize {
        self.nodes[&node].waiting.len()
    }

    pub(crate) fn has_claims(&self) -> bool {
        self.nodes.values().any(|node| !node.claims.is_empty())
    }

    /// A node comes, and serves when it knows everything.
    pub(crate) fn up(&mut self) {
        self.last += 1;
        let me = self.last;
        let mut node = Node {
            claims: Reservations::new(me.into()),
            union: Union { me, ..Union::default() },
            waiting: BTreeMap::new(),
            told: BTreeMap::new(),
        };
        for (name, other) in &mut self.nodes {
            node.claims.up(*name);
            other.claims.up(me);
            self.streams.insert((me, *name), Stream::default());
            self.streams.insert((*name, me), Stream::default());
        }
        self.nodes.insert(me, node);
        for other in self.names().into_iter().filter(|other| *other != me) {
            self.tell_everything(other, me);
            while self.deliver(other, me) {}
        }
    }

    pub(crate) fn kill(&mut self, node: PeerIndex) {
        self.nodes.remove(&node);
        self.streams.retain(|(from, to), _| *from != node && *to != node);
        for other in self.names() {
            self.node(other).union.of.remove(&node);
            self.node(other).claims.down(node);
            self.decide(other);
        }
    }

    pub(crate) fn join(&mut self, at: PeerIndex, user: u32) {
        self.reservations += 1;
        let (reservation, limit) = (self.reservations, self.limit);
        let unconfirmed = self.unconfirmed(at);
        let node = self.node(at);
        let name = user.to_string();
        let wish = Request { user: &name, limit, unconfirmed, reservation };
        match node.claims.join(&CHANNEL, wish, &node.union) {
            Join::Yes => self.enter(at, user),
            Join::Full => {}
            Join::Claimed(claim) => {
                node.waiting.insert(reservation, user);
                self.tell(at, &Item::Claims(claim));
                self.decide(at);
            }
        }
    }

    /// A user joins and everything is delivered; whether it is a member then.
    pub(crate) fn wants(&mut self, at: PeerIndex, user: u32) -> bool {
        self.join(at, user);
        self.settle();
        self.node(at).union.of(at).contains(&user)
    }

    /// Whoever waits for the user does not any more; a member leaves.
    pub(crate) fn leave(&mut self, at: PeerIndex, user: u32) {
        let waiting = self.node(at).waiting.iter().find(|(_, waits)| **waits == user);
        if let Some((&reservation, _)) = waiting {
            self.node(at).waiting.remove(&reservation);
            let settled = self.node(at).claims.cancel(&CHANNEL, reservation).unwrap();
            self.tell(at, &Item::Claims(settled));
        } else if self.node(at).union.of(at).remove(&user) {
            self.tell(at, &Item::Left(user));
        }
        self.decide(at);
    }

    pub(crate) fn nobody_waits_below_the_limit(&mut self) {
        for at in self.names() {
            if self.waiting(at) > 0 {
                assert!(self.members() > self.limit, "{at} waits");
                self.lose_patience(at);
            }
        }
    }

    pub(crate) fn everybody_leaves(&mut self) {
        for at in self.names() {
            for user in self.node(at).union.of(at).clone() {
                self.leave(at, user);
            }
        }
    }

    /// Those who wait at a node have waited for too long.
    pub(crate) fn lose_patience(&mut self, at: PeerIndex) {
        let node = self.node(at);
        for reservation in node.waiting.keys().copied().collect::<Vec<_>>() {
            assert!(node.claims.hurry(&CHANNEL, reservation));
        }
        self.decide(at);
        assert_eq!(self.waiting(at), 0);
    }

    /// Some messages arrive, on one of the ways where there are any.
    pub(crate) fn deliver_some(&mut self, way: usize, count: usize) {
        let busy = self.streams.iter().filter(|(_, stream)| !stream.items.is_empty());
        let busy: Vec<_> = busy.map(|(way, _)| *way).collect();
        if !busy.is_empty() {
            let (from, to) = busy[way % busy.len()];
            for _ in 0..count {
                self.deliver(from, to);
            }
        }
    }

    pub(crate) fn settle(&mut self) {
        loop {
            let busy = self.streams.iter().find(|(_, stream)| !stream.items.is_empty());
            let Some((&(from, to), _)) = busy else { return };
            self.deliver(from, to);
        }
    }

    /// What is on its way is lost, and everything is told anew.
    pub(crate) fn break_off(&mut self, way: usize) {
        let ways: Vec<_> = self.streams.keys().copied().collect();
        if !ways.is_empty() {
            let (from, to) = ways[way % ways.len()];
            self.streams.get_mut(&(from, to)).unwrap().items.clear();
            self.tell_everything(from, to);
        }
    }

    /// Nobody waits, and every node sees the truth.
    pub(crate) fn is_clean(&self) {
        for (me, node) in &self.nodes {
            assert!(node.waiting.is_empty() && node.claims.is_empty(), "{me} waits");
            assert_eq!(node.union.count(), self.members(), "{me}");
        }
    }

    fn node(&mut self, name: PeerIndex) -> &mut Node {
        self.nodes.get_mut(&name).unwrap()
    }

    fn enter(&mut self, at: PeerIndex, user: u32) {
        if self.node(at).union.of(at).insert(user) {
            self.tell(at, &Item::Joined(user));
            let (members, limit) = (self.members(), self.limit);
            assert!(!self.is_exact || members <= limit, "{members} of {limit}");
        }
    }

    fn decide(&mut self, at: PeerIndex) {
        loop {
            let node = self.node(at);
            let decision = node.claims.decide(&CHANNEL, &node.union);
            let Some(Decision { reservation, granted, settled }) = decision else { return };
            let user = node.waiting.remove(&reservation).unwrap();
            if granted {
                self.enter(at, user);
            }
            self.tell(at, &Item::Claims(settled));
        }
    }

    fn unconfirmed(&mut self, at: PeerIndex) -> usize {
        let node = &self.nodes[&at];
        let unknown = |told: &BTreeMap<PeerIndex, u64>| {
            told.iter().any(|(to, position)| {
                let acked = self.streams.get(&(at, *to)).map_or(u64::MAX, |stream| stream.acked);
                *position >= acked && !node.claims.is_late(*to)
            })
        };
        node.told.values().filter(|told| unknown(told)).count()
    }

    fn tell(&mut self, from: PeerIndex, item: &Item) {
        let mut told = BTreeMap::new();
        for ((_, to), stream) in self.streams.iter_mut().filter(|((by, _), _)| *by == from) {
            told.insert(*to, stream.push(item.clone()));
        }
        if let Item::Joined(user) = item {
            self.node(from).told.insert(*user, told);
        }
    }

    fn tell_everything(&mut self, from: PeerIndex, to: PeerIndex) {
        let node = &self.nodes[&from];
        let members = node.union.of.get(&from).cloned().unwrap_or_default();
        let claims = node.claims.ours().into_iter().map(|(_, claim)| Item::Claims(claim));
        let items: Vec<Item> = [Item::Restart(members)].into_iter().chain(claims).collect();
        let stream = self.streams.get_mut(&(from, to)).unwrap();
        items.into_iter().for_each(|item| {
            stream.push(item);
        });
    }

    fn deliver(&mut self, from: PeerIndex, to: PeerIndex) -> bool {
        let Some(stream) = self.streams.get_mut(&(from, to)) else { return false };
        let Some((position, item)) = stream.items.pop_front() else { return false };
        stream.acked = position + 1;
        let node = self.node(to);
        match item {
            Item::Joined(user) => {
                node.union.of(from).insert(user);
            }
            Item::Left(user) => {
                node.union.of(from).remove(&user);
            }
            Item::Restart(members) => {
                node.union.of.insert(from, members);
                node.claims.restarted(from);
                let ours: Vec<_> = node.claims.ours();
                let stream = self.streams.get_mut(&(to, from)).unwrap();
                ours.into_iter().for_each(|(_, claim)| {
                    stream.push(Item::Claims(claim));
                });
            }
            Item::Claims(message) => {
                let answer = node.claims.hear(from, &CHANNEL, message);
                let stream = self.streams.get_mut(&(to, from)).unwrap();
                answer.into_iter().for_each(|seen| {
                    stream.push(Item::Claims(seen));
                });
            }
        }
        self.decide(to);
        true
    }
}

impl Stream {
    fn push(&mut self, item: Item) -> u64 {
        self.items.push_back((self.next, item));
        self.next += 1;
        self.next - 1
    }
}

//! Members of a presence channel on every node, of whom ever more come, and hardly any goes.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use testkit::nodes::{Nodes, subscriptions, users};
use testkit::probe::Times;
use testkit::roster::{RosterChange, Witness};

const CHANNEL: &str = "presence-room";
/// How often some come.
const PACE: Duration = Duration::from_millis(500);
/// What does not wait for the broker takes less than that, however busy the machine is.
pub(crate) const NOW: Duration = Duration::from_secs(5);

/// What the clients that come see, and how long it takes.
pub(crate) struct Guests<'a> {
    nodes: &'a Nodes,
    members: Vec<Witness>,
    all: BTreeSet<String>,
    /// Who went.
    gone: BTreeSet<String>,
    /// Whom each node knows for sure: who was there at the last meeting, and its own ones since.
    known: Vec<BTreeSet<String>>,
    connects: Times,
    subscribes: Times,
    joins: Times,
}

impl<'a> Guests<'a> {
    /// One on each node, who know each other.
    pub(crate) fn new(nodes: &'a Nodes) -> Self {
        let known = vec![BTreeSet::new(); nodes.addresses.len()];
        let (members, all, gone) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let [connects, subscribes, joins] = Default::default();
        let mut guests = Guests { nodes, members, all, gone, known, connects, subscribes, joins };
        guests.come();
        guests.meet();
        guests
    }

    /// One more on each node.
    pub(crate) fn come(&mut self) {
        for node in 0..self.known.len() {
            let name = format!("g{:03}", self.members.len() + self.gone.len());
            let began = Instant::now();
            let mut client = self.nodes.node(node).connect();
            self.connects.add(began.elapsed());
            let began = Instant::now();
            client.subscribe(&format!("fresh-{name}"));
            self.subscribes.add(began.elapsed());
            let began = Instant::now();
            let member = Witness::join(client, CHANNEL, &name);
            self.joins.add(began.elapsed());
            self.all.insert(name.clone());
            self.known[node].insert(name);
            let told = &member.roster.0;
            assert!(told.is_superset(&self.known[node]), "{told:?}, not {:?}", self.known[node]);
            self.members.push(member);
        }
    }

    /// The one who has been there for the longest time goes.
    pub(crate) fn go(&mut self) {
        self.members.remove(0).leave();
        let name = self.all.pop_first().unwrap();
        self.known.iter_mut().for_each(|known| _ = known.remove(&name));
        self.gone.insert(name);
    }

    /// Some come now and then, for so long.
    pub(crate) fn come_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() + PACE < until {
            self.come();
            thread::sleep(PACE);
        }
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }

    /// Whether every node tells backends the truth.
    pub(crate) fn are_known(&self) -> bool {
        let count = self.all.len() as u64;
        self.nodes
            .up()
            .all(|node| users(node, CHANNEL) == self.all && subscriptions(node, CHANNEL) == count)
    }

    /// Everybody is told of everybody, and of nobody's leaving but of those who did, once.
    pub(crate) fn meet(&mut self) {
        let all = &self.all;
        for member in &mut self.members {
            member.until(|member| member.roster.0 == *all);
            member.catch_up();
            let is_wrong =
                |change: &&RosterChange| !change.added && !self.gone.contains(&change.user);
            let wrong = member.seen.iter().find(is_wrong);
            assert!(wrong.is_none() && member.roster.0 == *all, "{wrong:?}");
        }
        self.known.fill(self.all.clone());
    }

    /// Says how long the clients had to wait since this was asked last.
    pub(crate) fn waits(&mut self) {
        let times = [&mut self.connects, &mut self.subscribes, &mut self.joins].map(std::mem::take);
        for (what, times) in ["connect", "first subscriber", "join"].iter().zip(&times) {
            println!("  {what}: {times}");
            assert!(times.most() < NOW, "nobody waits for the broker");
        }
    }
}

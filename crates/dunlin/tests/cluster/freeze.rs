//! A node that stands still for longer than the others wait for it, and goes on.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes, connections, subscriptions, users};
use testkit::probe::{KINDS, Probe};
use testkit::process::Process;
use testkit::roster::{Witness, join};
use testkit::ws::Client;

const CHANNEL: &str = "presence-room";
const FROZEN: Duration = Duration::from_secs(60);
/// How long is measured before and after.
const AROUND: Duration = Duration::from_secs(2);
/// Members on the node that freezes.
const MEMBERS: usize = 20;
/// So many of their users are on another node as well; one goes there while the node is frozen.
const ELSEWHERE: usize = 3;
/// After which everything is true again everywhere.
const QUIET: Duration = Duration::from_secs(5);
/// The first subscriber of a channel may wait 50 ms; the rest is for a machine that is busy.
const FIRST: Duration = Duration::from_millis(500);
const ANYTHING: Duration = Duration::from_secs(2);

pub(crate) fn nobody_is_held_up(adapter: &Adapter) {
    // Nobody is asked whether they are still there, and there is room for all who come.
    let env = [("PRESENCE_MAX_MEMBERS", "20000"), ("ACTIVITY_TIMEOUT", "600")];
    let nodes = Nodes::start(adapter, 3, &env);
    let mut witnesses: Vec<Witness> = (0..3)
        .map(|node| Witness::join(nodes.node(node).connect(), CHANNEL, &format!("w{node}")))
        .collect();
    let mut members: Vec<Client> = (0..MEMBERS).map(|_| nodes.node(2).connect()).collect();
    for (index, member) in members.iter_mut().enumerate() {
        join(member, CHANNEL, &format!("u{index:02}"));
    }
    let mut elsewhere: Vec<Client> = (0..ELSEWHERE).map(|_| nodes.node(0).connect()).collect();
    for (index, member) in elsewhere.iter_mut().enumerate() {
        join(member, CHANNEL, &format!("u{index:02}"));
    }
    let mut own = nodes.node(2).connect();
    own.subscribe("own");
    own.subscribe("busy");

    let mut probe = Probe::new(&nodes, CHANNEL);
    let for_a = |time: Duration| {
        let until = Instant::now() + time;
        move || Instant::now() > until
    };
    let before = probe.until(for_a(AROUND));
    nodes.node(2).signal(Signal::STOP);
    let during = probe.until(for_a(FROZEN));
    // One comes and one goes while it does not listen.
    let mut new = nodes.node(1).connect();
    join(&mut new, CHANNEL, "new");
    elsewhere.pop().unwrap().close();
    let truth: BTreeSet<String> = (0..MEMBERS)
        .map(|index| format!("u{index:02}"))
        .chain(["new", "w0", "w1", "w2"].map(String::from))
        .collect();
    let told = |node: &Process| {
        let users = users(node, CHANNEL).into_iter();
        users.filter(|user| !user.starts_with("probe")).collect::<BTreeSet<_>>()
    };
    nodes.node(2).signal(Signal::CONT);
    let resumed = Instant::now();
    let (after, agreed) = thread::scope(|scope| {
        let agree = scope.spawn(|| {
            let same = || nodes.up().all(|node| told(node) == truth);
            eventually("every node tells the same members", same);
            resumed.elapsed()
        });
        (probe.until(for_a(AROUND)), agree.join().unwrap())
    });
    drop(probe);
    // The witnesses, the members, those elsewhere, the new one and the subscriber.
    let clients = (3 + MEMBERS + ELSEWHERE - 1 + 1 + 1) as u64;
    eventually("every node tells the same counts", || {
        nodes.up().all(|node| {
            subscriptions(node, CHANNEL) == clients - 1
                && (subscriptions(node, "own"), subscriptions(node, "busy")) == (1, 1)
                && connections(node) == clients
        })
    });
    let counted = resumed.elapsed();

    println!("a node frozen for {FROZEN:?}; the rosters agree {agreed:?} after it goes on");
    let phases = [("before", before), ("during", during), ("after", after)];
    for (index, kind) in KINDS.iter().enumerate() {
        phases.iter().for_each(|(phase, times)| println!("  {kind}, {phase}: {}", times[index]));
        let limit = if *kind == "first subscriber" { FIRST } else { ANYTHING };
        phases.iter().for_each(|(_, times)| assert!(times[index].most() < limit));
    }
    assert!(agreed < QUIET && counted < QUIET + AROUND, "{agreed:?}, {counted:?}");

    // They are removed once and added once, unless somebody else is there for them.
    for (node, witness) in witnesses.iter_mut().enumerate() {
        witness.until(|witness| witness.roster.0 == truth);
        witness.catch_up();
        assert_eq!(witness.roster.0, truth, "node {node}");
        for index in 0..MEMBERS {
            let user = format!("u{index:02}");
            let times = [true, false].map(|added| witness.count(added, &user));
            match node {
                0 | 1 if index + 1 >= ELSEWHERE => assert_eq!(times, [2, 1], "{user} on {node}"),
                _ => assert_eq!(times, [1, 0], "{user} on {node}"),
            }
        }
    }
    for (from, data) in [(0, "zero"), (1, "one"), (2, "two")] {
        nodes.node(from).publish("own", "again", data);
        // What was published to it while it was frozen may still be among what comes.
        while own.json() != json!({"event": "again", "channel": "own", "data": data}) {}
    }
    own.expect_silence();
    nodes.have_no_bugs();
}

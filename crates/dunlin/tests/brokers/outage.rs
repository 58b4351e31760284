//! The broker goes away under load, and comes back.

use std::time::{Duration, Instant};

use testkit::broker::Broker;
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes};

use super::guests::{Guests, NOW};
use super::load::{Story, while_published};

/// How long is looked before and after.
const AROUND: Duration = Duration::from_millis(1500);
/// After which everything is true again.
const QUIET: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Killed,
    Frozen,
}

/// What was seen.
struct Outage {
    story: Story,
    began: Instant,
    ended: Instant,
    /// After which the nodes were together again.
    up: Duration,
    /// After which all of them told the truth.
    agreed: Duration,
}

/// For so long, while so many events are published; nobody notices but those who wait for what
/// comes from other nodes.
fn outage(
    broker: &mut Broker,
    nodes: &Nodes,
    (fault, time): (Fault, Duration),
    events: usize,
) -> Outage {
    let mut guests = Guests::new(nodes);
    let pace = (AROUND + time + AROUND) / events as u32;
    let (story, (began, ended, up, agreed)) = while_published(nodes, (events, pace), || {
        guests.come_for(AROUND);
        println!("{fault:?} for {time:?}; before:");
        guests.waits();
        guests.meet();
        match fault {
            Fault::Killed => broker.stop(),
            Fault::Frozen => broker.freeze(),
        }
        let began = Instant::now();
        guests.go();
        guests.come_for(time);
        println!("during:");
        guests.waits();
        match fault {
            Fault::Killed => broker.start(),
            Fault::Frozen => broker.thaw(),
        }
        let ended = Instant::now();
        let up = || nodes.up().all(|node| node.metrics().sum("broker_up") == 1.0);
        eventually("the nodes are together again", up);
        let up = ended.elapsed();
        eventually("every node tells the truth", || guests.are_known());
        let agreed = ended.elapsed();
        println!("after:");
        guests.come();
        guests.waits();
        guests.meet();
        (began, ended, up, agreed)
    });
    guests.meet();
    for node in nodes.up() {
        let metrics = node.metrics();
        assert!(metrics.sum("broker_outages_total") > 0.0);
        assert_eq!(metrics.sum("panics_total"), 0.0);
        assert_eq!(node.logged("a node is dead"), 0);
    }
    let outage = Outage { story, began, ended, up, agreed };
    outage.tell();
    outage
}

impl Outage {
    fn tell(&self) {
        let Outage { story, began, ended, up, agreed } = self;
        let [own, others] = story.delays(*began - AROUND, *began);
        println!("events before: within a node {own}\n  between nodes {others}");
        let [own, others] = story.delays(*began, *ended);
        println!("events during: within a node {own}\n  between nodes {others}");
        let late = story.caught_up(*ended);
        println!("up {up:?} after its return, rosters true {agreed:?}, late events there {late:?}");
        assert!(own.most() < NOW, "what stays on a node does not wait for the broker");
        assert!(*up < QUIET && *agreed < QUIET && late < QUIET);
    }
}

pub(crate) fn nothing_is_lost(
    broker: &mut Broker,
    adapter: &Adapter,
    fault: (Fault, Duration),
    events: usize,
) {
    none_is_lost_of(broker, &Nodes::start(adapter, 3, &[]), fault, events);
}

/// How long the longest outage lasts.
const MINUTE: Duration = Duration::from_secs(60);

/// Two nodes that keep events for longer than the outage lasts lose none of them.
pub(crate) fn nothing_is_lost_in_a_minute(broker: &mut Broker, adapter: &Adapter) {
    // Nobody is asked whether they are still there, and there is room for all who come.
    let env = [
        ("CLUSTER_REPLAY_TIME", "120000"),
        ("ACTIVITY_TIMEOUT", "600"),
        ("PRESENCE_MAX_MEMBERS", "5000"),
    ];
    none_is_lost_of(broker, &Nodes::start(adapter, 2, &env), (Fault::Killed, MINUTE), 20_000);
}

fn none_is_lost_of(broker: &mut Broker, nodes: &Nodes, fault: (Fault, Duration), events: usize) {
    outage(broker, nodes, fault, events).story.is_whole();
    for node in nodes.up() {
        assert_eq!(node.metrics().sum("cluster_lost_events_total"), 0.0);
    }
    nodes.have_no_bugs();
}

/// How many may have arrived without an acknowledgement.
const UNKNOWN: usize = 200;

/// Away for longer than events are kept.
pub(crate) fn losses_are_counted(broker: &mut Broker, adapter: &Adapter) {
    let nodes = Nodes::start(adapter, 3, &[("CLUSTER_REPLAY_TIME", "5000")]);
    let fault = (Fault::Killed, Duration::from_secs(10));
    let outage = outage(broker, &nodes, fault, 5_000);
    for (from, node) in nodes.up().enumerate() {
        let to = (0..3).map(|to| outage.story.missing(from, to));
        let (missing, counted) = (to.sum(), node.metrics().sum("cluster_lost_events_total"));
        let counted = counted as usize;
        println!("events through node {from} that were lost: {missing}, counted: {counted}");
        assert!(missing > 0 && outage.story.missing(from, from) == 0);
        assert!((missing..=missing + UNKNOWN).contains(&counted), "it does not know what it lost");
        // It may be said for each peer.
        assert!((1..=2).contains(&node.logged("events for them are lost from now on")));
        assert!(node.logged("events may not have reached other nodes") > 0);
    }
}

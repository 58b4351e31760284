//! Every node is restarted, one after another, while clients and backends go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::nodes::{Adapter, Nodes, connections, subscriptions, users};
use testkit::publisher::{Number, Publisher, Tally};

use super::reconnecting::{EVENTS, Pool, ROOM, Story};

const CLIENTS: usize = 300;
const PACE: Duration = Duration::from_millis(10);
/// After which everything is true again.
const QUIET: Duration = Duration::from_secs(5);

pub(crate) fn nothing_is_lost(adapter: &Adapter) {
    let env = [("SHUTDOWN_GRACE_PERIOD", "2000"), ("PRESENCE_MAX_MEMBERS", "1000")];
    let mut nodes = Nodes::start(adapter, 3, &env);
    let addresses = nodes.addresses.clone();
    let pool = Pool::new(&addresses);
    let all: BTreeSet<String> = (0..CLIENTS).map(|n| format!("u{n:03}")).collect();
    let stop = AtomicBool::new(false);
    let (stories, unanswered): (Vec<Story>, _) = thread::scope(|scope| {
        let (pool, stop, addresses) = (&pool, &stop, &addresses[..]);
        let live = |user: &'_ String| {
            let user = user.clone();
            let builder = thread::Builder::new().stack_size(256 * 1024);
            builder.spawn_scoped(scope, move || pool.live(&user)).unwrap()
        };
        let clients: Vec<_> = all.iter().map(live).collect();
        let everybody = || pool.subscribed.load(SeqCst) == CLIENTS;
        eventually("everybody is there", everybody);
        let publisher = scope.spawn(|| publish(Publisher::new(addresses, true), stop));
        let hasty: Vec<_> = [true, false]
            .map(|keeps| scope.spawn(move || hurry(Publisher::new(addresses, keeps), stop)))
            .into();

        let began = Instant::now();
        for node in 0..3 {
            let began = Instant::now();
            nodes.terminate(node);
            let left = began.elapsed();
            nodes.restart(node);
            println!("node {node} left in {left:?}, and was back after {:?}", began.elapsed());
        }
        let restarted = Instant::now();
        eventually("everybody is back", everybody);
        stop.store(true, SeqCst);
        let mut tally = publisher.join().unwrap();
        let unanswered = tally.unanswered.clone();
        hasty.into_iter().for_each(|hasty| tally.add(hasty.join().unwrap()));
        tally.check();
        eventually("every node tells the same, which is true", || {
            let count = CLIENTS as u64;
            nodes.up().all(|node| {
                (subscriptions(node, EVENTS), connections(node)) == (count, count)
                    && users(node, ROOM) == all
            })
        });
        let agreed = restarted.elapsed();
        println!("restarts took {:?}; all is true {agreed:?} later", restarted - began);
        assert!(agreed < QUIET, "{agreed:?}");
        nodes.node(0).publish(EVENTS, "end", "");
        (clients.into_iter().map(|client| client.join().unwrap()).collect(), unanswered)
    });
    tell(&stories);
    for story in &stories {
        assert_eq!(story.roster.0, all);
        for (numbers, node) in story.sessions.iter().flat_map(|all| [(all, 0), (all, 1), (all, 2)])
        {
            let counts: Vec<usize> = numbers
                .iter()
                .filter(|number| number.node == node)
                .map(|number| number.count)
                .collect();
            for pair in counts.windows(2) {
                let is_missing = |count| !unanswered.contains(&Number { node, count });
                let next = (pair[0] + 1..).find(|count| *count == pair[1] || is_missing(*count));
                assert_eq!(next, Some(pair[1]), "lost, twice or out of order: {node} {counts:?}");
            }
        }
    }
    nodes.have_no_bugs();
}

/// A hundred events a second, until the end.
fn publish(mut publisher: Publisher, stop: &AtomicBool) -> Tally {
    while !stop.load(SeqCst) {
        publisher.publish(EVENTS);
        thread::sleep(PACE);
    }
    publisher.tally
}

/// Events that nobody hears, as fast as they go.
fn hurry(mut publisher: Publisher, stop: &AtomicBool) -> Tally {
    while !stop.load(SeqCst) {
        publisher.publish("nobody");
    }
    publisher.tally
}

fn tell(stories: &[Story]) {
    let mut ends: BTreeMap<u16, usize> = BTreeMap::new();
    for (code, count) in stories.iter().flat_map(|story| &story.ends) {
        *ends.entry(*code).or_default() += count;
    }
    let refused: usize = stories.iter().map(|story| story.refused).sum();
    let events: usize = stories.iter().flat_map(|story| &story.sessions).map(Vec::len).sum();
    println!("{CLIENTS} clients: ends {ends:?}, {refused} connects refused, {events} events");
    // Whoever is too slow to answer is cut off when the grace period is over.
    let (polite, cut) = (ends.remove(&4200).unwrap_or(0), ends.remove(&0).unwrap_or(0));
    assert!(polite >= CLIENTS && cut <= CLIENTS / 50 && ends.is_empty());
}

//! Every node is restarted, one after another, while clients and backends go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use super::nodes::{Adapter, Nodes, connections, subscriptions, users};
use super::publisher::{Publisher, Tally};
use super::reconnecting::{EVENTS, Pool, ROOM, Story};
use crate::support::eventually;

const CLIENTS: usize = 300;
/// A hundred events a second.
const PACE: Duration = Duration::from_millis(10);
/// After which everything is true again.
const QUIET: Duration = Duration::from_secs(5);

pub(crate) fn nothing_is_lost(adapter: &Adapter) {
    let env = [("SHUTDOWN_GRACE_PERIOD", "1000"), ("PRESENCE_MAX_MEMBERS", "1000")];
    let mut nodes = Nodes::start(adapter, 3, &env);
    let addresses = nodes.addresses.clone();
    let pool = Pool::new(&addresses);
    let all: BTreeSet<String> = (0..CLIENTS).map(|n| format!("u{n:03}")).collect();
    let stop = AtomicBool::new(false);
    let stories: Vec<Story> = thread::scope(|scope| {
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
        let hasty: Vec<_> = [true, false, true, false]
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
        hasty.into_iter().for_each(|hasty| tally.add(hasty.join().unwrap()));
        check(tally);
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
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    tell(&stories);
    for story in &stories {
        assert_eq!(story.roster.0, all);
        assert_eq!(story.ends.keys().copied().collect::<Vec<_>>(), [4200], "{:?}", story.ends);
        for numbers in &story.sessions {
            let set: BTreeSet<usize> = numbers.iter().copied().collect();
            assert_eq!(set.len(), numbers.len(), "an event twice: {numbers:?}");
            let span = set.first().zip(set.last()).map_or(0, |(first, last)| last - first + 1);
            assert_eq!(set.len(), span, "an event is missing: {numbers:?}");
        }
    }
    nodes.have_no_bugs();
}

/// Numbered events, until the end.
fn publish(mut publisher: Publisher, stop: &AtomicBool) -> Tally {
    for n in 0.. {
        if stop.load(SeqCst) {
            break;
        }
        publisher.publish(EVENTS, "n", &n.to_string());
        thread::sleep(PACE);
    }
    publisher.tally
}

/// Events that nobody hears, as fast as they go.
fn hurry(mut publisher: Publisher, stop: &AtomicBool) -> Tally {
    while !stop.load(SeqCst) {
        publisher.publish("nobody", "e", "x");
    }
    println!("{:?}", publisher.tally);
    publisher.tally
}

fn check(tally: Tally) {
    println!("{tally:?}");
    assert_eq!((tally.failed, tally.strange.len()), (0, 0));
}

fn tell(stories: &[Story]) {
    let mut ends: BTreeMap<u16, usize> = BTreeMap::new();
    stories.iter().flat_map(|story| &story.ends).for_each(|(code, n)| *ends.entry(*code).or_default() += n);
    let refused: usize = stories.iter().map(|story| story.refused).sum();
    let numbers = || stories.iter().flat_map(|story| &story.sessions);
    let events: usize = numbers().map(Vec::len).sum();
    let swapped: usize =
        numbers().map(|all| all.windows(2).filter(|pair| pair[0] > pair[1]).count()).sum();
    println!(
        "{CLIENTS} clients: ends {ends:?}, {refused} connects refused; {events} events, {swapped} \
         of different nodes overtook each other"
    );
}

//! Whole clusters on a simulated network, under load and under faults. What is checked is what
//! clients see, and in the end that every node knows the truth.
//!
//! Every run is drawn from a seed. One that fails prints it, and `SEED=123 cargo test -p
//! simulation rough` runs that one alone; `SEEDS=5000` runs so many of each sort.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod clients;
mod ending;
mod faults;
mod frame;
mod interest;
mod kept;
mod ledger;
mod load;
mod node;
mod outputs;
mod schedule;
mod seats;
mod shard;
mod socket;
mod speaking;
mod spending;
mod step;
mod users;
mod version;
mod world;

use std::sync::Arc;

use ledger::Summary;
use schedule::Schedule;
use testkit::simulated::Random;
use world::World;

/// How many runs of the gentle and of the rough sort there are.
const SEEDS: u64 = 500;
/// How many runs with large snapshots there are; they take longer.
const BULKY_SEEDS: u64 = 200;

/// The name of a channel.
type Channel = Arc<str>;

/// Says which run it was when a run fails.
struct Announce(u64, Schedule);

impl Drop for Announce {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={} fails: {:?}", self.0, self.1);
        }
    }
}

/// A number that was asked for.
fn asked(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value:?} has to be a number")))
}

/// Runs every seed, or the one that is asked for; gives the sum if it was every one, and of how many.
fn run_all(seeds: u64, draw: fn(&mut Random) -> Schedule) -> Option<(u64, Summary)> {
    let (seed, seeds) = (asked("SEED"), asked("SEEDS").unwrap_or(seeds));
    let mut sum = Summary::default();
    for seed in seed.map_or(0..seeds, |seed| seed..seed + 1) {
        let mut random = Random::new(seed);
        let schedule = draw(&mut random);
        let _announce = Announce(seed, schedule.clone());
        sum.add(&World::new(schedule, random).run());
    }
    eprintln!("{sum:?}");
    seed.is_none().then_some((seeds, sum))
}

/// Loss, repetition, delay, a broker that goes away and nodes that join cost nobody's life and no
/// event.
#[test]
fn gentle() {
    if let Some((seeds, sum)) = run_all(SEEDS, Schedule::gentle) {
        assert_eq!((sum.deaths, sum.streams_renewed), (0, 0));
        assert!(sum.waited > seeds && sum.received > 100 * seeds, "{sum:?}");
        assert!(sum.claimed > 10 * seeds && sum.full > 10 * seeds, "channels are full: {sum:?}");
        assert!(sum.unexcused > sum.succeeded / 2, "most subscriptions are checked: {sum:?}");
        assert!(sum.statements > 20 * seeds, "{sum:?}");
        assert!(sum.replayed > 20 * seeds && sum.misses > seeds / 4, "{sum:?}");
        assert!(sum.seated > 20 * seeds && sum.sold_out > 10 * seeds, "slots come back: {sum:?}");
        assert!(sum.dealt > 10 * seeds && sum.over_rate > 10 * seeds, "{sum:?}");
        assert!(sum.watched > 10 * seeds && sum.terminated > seeds, "{sum:?}");
    }
}

/// Half of the nodes speak a later version, as they do during a rolling upgrade: nobody notices.
#[test]
fn two_versions() {
    if let Some((seeds, sum)) = run_all(SEEDS, Schedule::upgrade) {
        assert_eq!((sum.deaths, sum.streams_renewed), (0, 0));
        assert!(sum.received > 100 * seeds && sum.news > seeds, "{sum:?}");
    }
}

/// Whatever happens: clients see a consistent roster and events in order, and when it is quiet
/// again, everybody knows everything.
#[test]
fn rough() {
    if let Some((seeds, sum)) = run_all(SEEDS, Schedule::rough) {
        assert!(sum.deaths > seeds && sum.streams_renewed > seeds, "{sum:?}");
    }
}

/// Members so large that a snapshot takes a while, during which things go on.
#[test]
fn bulky() {
    if let Some((seeds, sum)) = run_all(BULKY_SEEDS, Schedule::bulky) {
        assert!(sum.long_snapshots > seeds, "{sum:?}");
    }
}

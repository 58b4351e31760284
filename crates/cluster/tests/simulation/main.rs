//! Whole clusters on a simulated network, where everything goes wrong that can: messages are lost,
//! doubled, delayed and overtaken, ways and brokers go away, nodes freeze, die and come back.
//!
//! Every run is drawn from a seed. One that fails prints it, and `SEED=123 cargo test -p cluster
//! --test simulation` runs that one alone.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod node;
mod schedule;
mod world;

use schedule::Schedule;
use testkit::simulated::Random;
use world::{Summary, World};

/// How many runs of each sort there are.
const SEEDS: u64 = 1000;

/// Says which run it was when a run fails.
struct Announce(u64, Schedule);

impl Drop for Announce {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={} fails: {:?}", self.0, self.1);
        }
    }
}

fn run_all(draw: fn(&mut Random) -> Schedule, check: impl Fn(&Summary)) -> Summary {
    let seed = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
    let mut sum = Summary::default();
    for seed in seed.map_or(0..SEEDS, |seed| seed..seed + 1) {
        let mut random = Random::new(seed);
        let schedule = draw(&mut random);
        let _announce = Announce(seed, schedule.clone());
        let summary = World::new(schedule, random).run();
        check(&summary);
        sum.deaths += summary.deaths;
        sum.streams_renewed += summary.streams_renewed;
        sum.events_lost += summary.events_lost;
    }
    sum
}

/// Loss, repetition, delay and a broker that goes away cost nobody's life and no entry.
#[test]
fn gentle() {
    run_all(Schedule::gentle, |summary| {
        assert_eq!((summary.deaths, summary.streams_renewed, summary.events_lost), (0, 0, 0));
    });
}

/// Whatever happens: streams are told in order and once, nobody is held for dead who can be heard,
/// and when it is quiet again, everybody knows everything.
#[test]
fn rough() {
    let sum = run_all(Schedule::rough, |_| {});
    if std::env::var_os("SEED").is_none() {
        assert!(
            sum.deaths > SEEDS && sum.streams_renewed > SEEDS && sum.events_lost > SEEDS,
            "{sum:?}"
        );
    }
}

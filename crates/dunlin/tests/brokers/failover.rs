//! A master is killed under load, and its replica takes its place.

use std::thread;
use std::time::{Duration, Instant};

use testkit::nodes::{Adapter, Nodes};
use testkit::{TEST_TIMEOUT, eventually};

use super::groups::{RedisCluster, Sentinels};
use super::guests::Guests;
use super::load::while_published;

const AROUND: Duration = Duration::from_secs(1);
/// So many events in about six seconds.
const LOAD: (usize, Duration) = (3_000, Duration::from_millis(2));

fn nothing_is_lost(adapter: &Adapter, kill: impl FnOnce()) {
    let nodes = Nodes::start(adapter, 3, &[]);
    let mut guests = Guests::new(&nodes);
    let (story, followed) = while_published(&nodes, LOAD, || {
        guests.come_for(AROUND);
        guests.meet();
        guests.waits();
        kill();
        let killed = Instant::now();
        let up = || {
            nodes.up().map(|node| node.metrics()).all(|metrics| {
                metrics.sum("broker_outages_total") > 0.0 && metrics.sum("broker_up") == 1.0
            })
        };
        while !up() {
            guests.come();
            thread::sleep(AROUND / 4);
            assert!(killed.elapsed() < TEST_TIMEOUT, "nobody takes its place");
        }
        println!("without a master:");
        guests.waits();
        let followed = killed.elapsed();
        eventually("every node tells the truth", || guests.are_known());
        println!("together again after {followed:?}, rosters true after {:?}", killed.elapsed());
        guests.come();
        guests.meet();
        killed + followed
    });
    guests.meet();
    story.is_whole();
    println!("late events were there {:?} after that", story.caught_up(followed));
    for node in nodes.up() {
        assert_eq!(node.metrics().sum("cluster_lost_events_total"), 0.0);
        assert_eq!(node.logged("a node is dead"), 0);
    }
    nodes.have_no_bugs();
}

#[test]
fn behind_sentinels_nothing_is_lost() {
    let mut redis = Sentinels::run();
    let adapter = redis.adapter();
    nothing_is_lost(&adapter, || redis.master.stop());
}

#[test]
fn in_a_redis_cluster_nothing_is_lost() {
    let mut redis = RedisCluster::run("dunlin:hello");
    let (adapter, followed) = (redis.adapter(), redis.followed);
    nothing_is_lost(&adapter, || redis.masters[followed].stop());
}

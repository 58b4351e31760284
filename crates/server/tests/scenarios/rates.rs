//! Rates that hold over all nodes.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::http::AppKeys;

use super::Cluster;

/// `driver` keeps the rates.
fn three_nodes_let_through(driver: &str) {
    const RATE: u32 = 200;
    let rate = RATE.to_string();
    let env = [("RATE_LIMITER_DRIVER", driver), ("DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC", &*rate)];
    let cluster = Cluster::with(3, &env);
    let (start, lasts) = (Instant::now(), Duration::from_secs(3));
    let threads: Vec<_> = (0..6)
        .map(|thread| {
            let mut http = cluster.node(thread).http();
            std::thread::spawn(move || {
                let body = json!({"name": "e", "channel": "c", "data": "x"}).to_string();
                let mut published = 0;
                while start.elapsed() < lasts {
                    let answer = http.post(&AppKeys::default(), "/events", body.as_bytes());
                    match answer.status {
                        200 => published += 1,
                        429 => assert!(answer.header("Retry-After").is_some()),
                        status => panic!("{status}: {}", answer.text()),
                    }
                }
                published
            })
        })
        .collect();
    let published: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    // One second's worth may be used at once, then the budget refills.
    let allowed = f64::from(RATE) * (1.0 + start.elapsed().as_secs_f64());
    let share = f64::from(published) / allowed;
    assert!((0.9..=1.02).contains(&share), "{published} of {allowed}");
}

#[test]
fn the_nodes_among_themselves() {
    three_nodes_let_through("cluster");
}

#[test]
fn through_redis_where_there_is_one() {
    if crate::adapter::HAS_REDIS {
        three_nodes_let_through("redis");
    }
}

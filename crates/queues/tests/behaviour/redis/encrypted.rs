//! Queues in a Redis that talks TLS only, for a user who may do little.

use testkit::redis::{RedisCertificates, RedisServer};

use crate::{house, suite};

/// What a user of the queue needs, and nothing else.
const USER: &str = "user some on >secret ~p:dunlin:queue:* resetchannels &p:dunlin:queue:* -@all \
    +@read +@write -@dangerous +evalsha +script|load +time +publish +subscribe +ping";

fn start() -> ((RedisServer, RedisCertificates), Vec<(String, String)>) {
    let ca = RedisCertificates::new();
    let server = RedisServer::start_tls(&ca, &format!("user default off\n{USER}"));
    let [certificate, key] = ca.issue(&["client"]);
    let tls = serde_json::json!({ "ca": ca.server_files()[0], "cert": certificate, "key": key });
    let options = serde_json::json!({ "tls": tls }).to_string();
    let more = [
        ("DB_REDIS_USERNAME", "some"),
        ("DB_REDIS_PASSWORD", "secret"),
        ("DB_REDIS_OPTIONS", &options),
    ];
    let env = super::env(&server, &more);
    ((server, ca), env)
}

behaves! { start;
    what_is_pushed_is_done_in_order(500);
    bytes_arrive_as_they_are();
    a_partition_without_room_does_not_hold_up_another();
    a_group_has_one_job_in_hand();
    what_is_dropped_comes_again();
    whoever_stops_leaves_its_jobs_to_others();
    a_dead_workers_jobs_are_taken_over();
    two_workers_share(480);
    depth_and_age(true);
}

#[tokio::test]
async fn nothing_is_refused_to_the_user() {
    let (_servers, env) = start();
    let queue = house::open(&env);
    let log = std::sync::Arc::new(house::Log::default());
    let worker = house::do_all(&queue, &log);
    for from in (0..100).step_by(10) {
        queue.push(house::jobs(from, 10, 10, 1)).await.unwrap();
        house::until("they are done", async || log.count() == from + 10).await;
    }
    assert_eq!(queue.counters().errors, 0);
    worker.abort();
}

//! Queues in several Redis servers: behind sentinels, and in a Redis Cluster.

use std::sync::Arc;

use queues::{Job, Queue, QueueError};
use testkit::redis::{self, RedisServer, fail_over, replace_unnoticed, sentinels};

use crate::house::{self, Log, Rooms, do_all, jobs, next, until, variables};
use crate::suite;

/// Addresses as the options have them.
fn addresses(servers: &[RedisServer]) -> String {
    let address =
        |server: &RedisServer| serde_json::json!({ "host": "127.0.0.1", "port": server.port });
    serde_json::Value::from_iter(servers.iter().map(address)).to_string()
}

fn behind(sentinels: &[RedisServer]) -> Queue {
    let known = addresses(sentinels);
    house::open(&variables(&[("QUEUE_DRIVER", "redis"), ("DB_REDIS_SENTINELS", &known)]))
}

/// Pushes until everything is in.
async fn push(queue: &Queue, mut jobs: Vec<Job>) {
    until("a server takes the jobs", async || match queue.push(std::mem::take(&mut jobs)).await {
        Ok(()) => true,
        Err(error) => {
            assert!(matches!(error.reason, QueueError::Away(_)), "{error}");
            jobs = error.jobs;
            false
        }
    })
    .await;
}

#[tokio::test]
async fn a_redis_cluster() {
    let nodes = redis::cluster("");
    let env = variables(&[
        ("QUEUE_DRIVER", "redis"),
        ("QUEUE_REDIS_CLUSTER_MODE", "true"),
        ("DB_REDIS_CLUSTER_NODES", &addresses(&nodes[..1])),
    ]);
    let open = || house::open(&env);
    suite::two_workers_share(&open, 400).await;
    suite::bytes_arrive_as_they_are(&open).await;
    suite::a_partition_without_room_does_not_hold_up_another(&open).await;
    suite::whoever_stops_leaves_its_jobs_to_others(&open).await;
    suite::depth_and_age(&open, true).await;
}

#[tokio::test]
async fn a_dead_master_s_successor_is_used() {
    let (mut servers, sentinels) = sentinels("mymaster", "");
    let queue = behind(&sentinels);
    let log = Arc::new(Log::default());
    let worker = do_all(&queue, &log);
    queue.push(jobs(0, 20, 4, 2)).await.unwrap();
    until("they are done", async || log.count() == 20).await;
    servers[0].stop();
    push(&queue, jobs(20, 20, 4, 2)).await;
    until("these are done, too", async || log.count() == 40).await;
    worker.abort();
}

#[tokio::test]
async fn a_planned_successor_has_everything() {
    let (servers, sentinels) = sentinels("mymaster", "");
    let (here, there) = (behind(&sentinels), behind(&sentinels));
    here.push(jobs(0, 200, 4, 2)).await.unwrap();
    let mut consumer = there.consume(Arc::new(Rooms::default()));
    let in_hand = [next(&mut consumer).await, next(&mut consumer).await];
    // A master that has lost its replica would lose what it took, so it must not take anything.
    assert_eq!(servers[0].tell("CONFIG SET min-replicas-to-write 1"), "+OK\r\n");
    let failover = move || {
        fail_over("mymaster", &servers, &sentinels);
        (servers, sentinels)
    };
    let _both = tokio::task::spawn_blocking(failover).await.unwrap();
    push(&here, jobs(200, 40, 4, 2)).await;
    let log = Log::default();
    for delivery in in_hand {
        log.add(&delivery.job);
        delivery.done();
    }
    while log.count() < 240 {
        let delivery = next(&mut consumer).await;
        log.add(&delivery.job);
        delivery.done();
    }
    until("nothing is left", async || here.depth().await.is_ok_and(|depth| depth.jobs == 0)).await;
    log.check_order();
}

#[tokio::test]
async fn a_master_that_does_not_notice_that_it_is_none_is_left() {
    let (servers, sentinels) = sentinels("mymaster", "");
    let queue = behind(&sentinels);
    let log = Arc::new(Log::default());
    let worker = do_all(&queue, &log);
    queue.push(jobs(0, 20, 4, 2)).await.unwrap();
    until("they are done", async || log.count() == 20).await;
    replace_unnoticed("mymaster", &servers, &sentinels);
    // A worker calls every few seconds, and what is called at a master is not called at its replica.
    let told = || servers[1].tell("INFO commandstats");
    until("the successor is used", async || told().contains("cmdstat_evalsha:")).await;
    push(&queue, jobs(20, 20, 4, 2)).await;
    until("these are done, too", async || log.count() == 40).await;
    assert!(servers[0].tell("ROLE").contains("master"), "it has not noticed");
    worker.abort();
}

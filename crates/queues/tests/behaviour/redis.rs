//! Queues in Redis.

use std::sync::Arc;
use std::time::Duration;

use queues::{Queue, QueueError};
use testkit::redis::RedisServer;

use crate::house::{self, Log, Rooms, do_all, job, jobs, next, until, variables};
use crate::suite;

fn env(server: &RedisServer, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let port = server.port.to_string();
    let more = more.iter().copied();
    let all = [("QUEUE_DRIVER", "redis"), ("DB_REDIS_PORT", &port), ("DB_REDIS_KEY_PREFIX", "p:")];
    variables(&all.into_iter().chain(more).collect::<Vec<_>>())
}

/// Servers of its own for each test, so that they are safe in parallel.
macro_rules! behaves {
    ($start:expr; $($name:ident ( $($argument:expr),* );)*) => {$(
        #[tokio::test]
        async fn $name() {
            let (_servers, env) = $start();
            suite::$name(&|| house::open(&env), $($argument),*).await;
        }
    )*};
}

mod encrypted;
mod groups;

fn start() -> (RedisServer, Vec<(String, String)>) {
    let server = RedisServer::start("");
    let env = env(&server, &[]);
    (server, env)
}

behaves! { start;
    what_is_pushed_is_done_in_order(2000);
    bytes_arrive_as_they_are();
    a_partition_without_room_does_not_hold_up_another();
    a_group_has_one_job_in_hand();
    what_is_dropped_comes_again();
    whoever_stops_leaves_its_jobs_to_others();
    a_dead_workers_jobs_are_taken_over();
    two_workers_share(2000);
    depth_and_age(true);
}

#[tokio::test]
async fn a_full_partition_refuses() {
    let server = RedisServer::start("");
    let queue = house::open(&env(&server, &[("QUEUE_REDIS_MAX_PENDING_JOBS", "10")]));
    let mut all = jobs(0, 15, 1, 1);
    all.push(job("other", "a", 100));
    let error = queue.push(all).await.unwrap_err();
    assert!(matches!(error.reason, QueueError::Full { limit: 10 }));
    assert_eq!(error.jobs, jobs(10, 5, 1, 1), "the last ones, in order");
    assert_eq!((queue.counters().pushed, queue.counters().refused), (11, 5));
    let error = queue.push(error.jobs).await.unwrap_err();
    assert_eq!(error.jobs.len(), 5);

    let mut consumer = queue.consume(Arc::new(Rooms::default()));
    for _ in 0..11 {
        next(&mut consumer).await.done();
    }
    until("there is room again", async || queue.push(jobs(10, 5, 1, 1)).await.is_ok()).await;
}

#[tokio::test]
async fn partitions_are_spread_evenly_and_move_to_whoever_comes_later() {
    let server = RedisServer::start("");
    let env = env(&server, &[]);
    let one = house::open(&env);
    let log = Arc::new(Log::default());
    let first = do_all(&one, &log);
    one.push(jobs(0, 10, 10, 1)).await.unwrap();
    until("all is done", async || log.count() == 10).await;
    let loads = || {
        let told = server.tell("ZRANGE p:dunlin:queue:{all}:loads 0 -1 WITHSCORES");
        let lines: Vec<&str> = told.lines().collect();
        // An array of names and scores, each with its length before it.
        let mut loads: Vec<u32> =
            lines[1..].chunks(4).map(|four| four[3].parse().unwrap()).collect();
        loads.sort_unstable();
        loads
    };
    assert_eq!(loads(), [10]);
    let second = do_all(&house::open(&env), &log);
    // While jobs are done, too.
    let mut from = 10;
    until("the lanes are shared", async || {
        one.push(jobs(from, 10, 10, 1)).await.unwrap();
        from += 10;
        loads() == [5, 5]
    })
    .await;
    second.abort();
    until("they come back", async || {
        one.push(jobs(from, 10, 10, 1)).await.unwrap();
        from += 10;
        loads() == [10]
    })
    .await;
    until("all is done", async || log.count() == from).await;
    log.check_order();
    first.abort();
}

#[tokio::test]
async fn a_server_that_is_restarted_under_load_loses_nothing() {
    let mut server = RedisServer::start("appendonly yes\nappendfsync always");
    let env = env(&server, &[("QUEUE_REDIS_OPTIONS", r#"{"connectTimeout": 500}"#)]);
    let queue = house::open(&env);
    let log = Arc::new(Log::default());
    let worker = do_all(&queue, &log);
    let (mut pending, mut from, mut restarts) = (Vec::new(), 0, 0);
    while from < 3000 {
        let mut these = std::mem::take(&mut pending);
        these.extend(jobs(from, 20, 5, 3));
        from += 20;
        if let Err(error) = queue.push(these).await {
            pending = error.jobs;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if from == 1000 || from == 2000 {
            server.stop();
            restarts += 1;
            // Some pushes fail meanwhile.
            assert!(queue.push(jobs(from, 20, 5, 3)).await.is_err());
            pending.extend(jobs(from, 20, 5, 3));
            from += 20;
            server.start_again();
        }
    }
    until("the rest is in", async || match queue.push(std::mem::take(&mut pending)).await {
        Ok(()) => true,
        Err(error) => {
            pending = error.jobs;
            false
        }
    })
    .await;
    until("all is done", async || log.count() == from).await;
    until("nothing is left", async || queue.depth().await.is_ok_and(|depth| depth.jobs == 0)).await;
    assert_eq!(restarts, 2);
    assert!(queue.counters().errors > 0 && queue.counters().is_up);
    worker.abort();
}

#[tokio::test]
async fn a_server_that_has_forgotten_everything_is_used_on() {
    let server = RedisServer::start("");
    let queue: Queue = house::open(&env(&server, &[]));
    let log = Arc::new(Log::default());
    let worker = do_all(&queue, &log);
    queue.push(jobs(0, 20, 5, 1)).await.unwrap();
    until("they are done", async || log.count() == 20).await;
    server.tell("FLUSHALL");
    queue.push(jobs(20, 20, 5, 1)).await.unwrap();
    until("these, too", async || log.count() == 40).await;
    worker.abort();
}

#[tokio::test]
async fn one_that_is_away_when_we_start() {
    let mut server = RedisServer::start("");
    server.stop();
    let queue = house::open(&env(&server, &[]));
    let log = Arc::new(Log::default());
    let worker = do_all(&queue, &log);
    let error = queue.push(jobs(0, 3, 1, 1)).await.unwrap_err();
    assert_eq!(error.jobs.len(), 3);
    assert!(matches!(error.reason, QueueError::Away(_)), "{error}");
    assert!(!queue.counters().is_up);
    server.start_again();
    until("it is there", async || queue.push(jobs(0, 3, 1, 1)).await.is_ok()).await;
    until("they are done", async || log.count() == 3).await;
    worker.abort();
}

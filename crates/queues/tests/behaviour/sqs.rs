//! Queues in SQS, for which moto stands in, and where order matters, a [stand-in](StandIn) of our own.

use std::sync::Arc;
use std::time::Duration;

use queues::{QueueError, Room};
use testkit::moto;

use crate::house::{self, Log, Rooms, do_all, job, jobs, next, until, variables};
use crate::stand_in::StandIn;
use crate::suite;

/// A call of SQS.
fn call(action: &str, body: &str) -> String {
    let target = format!("AmazonSQS.{action}");
    let kind = "application/x-amz-json-1.0";
    let headers = [("X-Amz-Target", &*target), ("Content-Type", kind)];
    moto::post("sqs", "us-east-1", "/", &headers, body)
}

/// Makes a queue, and returns its URL.
fn create_queue(name: &str) -> String {
    let attributes = if name.ends_with(".fifo") { r#"{"FifoQueue":"true"}"# } else { "{}" };
    let answer =
        call("CreateQueue", &format!(r#"{{"QueueName":"{name}","Attributes":{attributes}}}"#));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["QueueUrl"].as_str().unwrap().to_owned()
}

/// A queue of moto.
fn env(name: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    at(&create_queue(name), more)
}

fn at(url: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let client = r#"{"credentials":{"accessKeyId":"id","secretAccessKey":"secret"}}"#;
    let all = [
        ("QUEUE_DRIVER", "sqs"),
        ("QUEUE_SQS_URL", url),
        ("QUEUE_SQS_CLIENT_OPTIONS", client),
        ("QUEUE_SQS_PROCESS_BATCH", "true"),
        ("QUEUE_SQS_BATCH_SIZE", "10"),
    ];
    variables(&all.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
}

/// A queue of its own for each test.
macro_rules! behaves {
    ($env:expr; $($name:ident ( $($argument:expr),* );)*) => {$(
        #[tokio::test]
        async fn $name() {
            let env: Vec<(String, String)> = ($env)(stringify!($name)).await;
            suite::$name(&|| house::open(&env), $($argument),*).await;
        }
    )*};
}

mod strict {
    use super::*;

    behaves! { async |_: &str| at(&StandIn::start().await.url(), &[]);
        what_is_pushed_is_done_in_order(1000);
        bytes_arrive_as_they_are();
        a_group_has_one_job_in_hand();
        a_partition_without_room_does_not_hold_up_another();
        what_is_dropped_comes_again();
        whoever_stops_leaves_its_jobs_to_others();
        two_workers_share(1000);
        depth_and_age(false);
    }

    #[tokio::test]
    async fn what_fails_for_a_while_is_done_later_and_in_order() {
        let stand_in = StandIn::start().await;
        let env = at(&stand_in.url(), &[]);
        let queue = house::open(&env);
        let log = Arc::new(Log::default());
        let worker = do_all(&queue, &log);
        queue.push(jobs(0, 40, 4, 2)).await.unwrap();
        stand_in.set_broken(true);
        let error = queue.push(jobs(40, 40, 4, 2)).await.unwrap_err();
        assert!(matches!(error.reason, QueueError::Away(_)), "{error}");
        assert_eq!(error.jobs.len(), 40);
        assert!(!queue.counters().is_up);
        stand_in.set_broken(false);
        queue.push(jobs(40, 40, 4, 2)).await.unwrap();
        until("all is done", async || log.count() == 80).await;
        until("nothing is left", async || queue.depth().await.unwrap().jobs == 0).await;
        log.check_order();
        worker.abort();
    }

    #[tokio::test]
    async fn after_a_job_that_is_refused_none_of_its_group_goes() {
        let stand_in = StandIn::start().await;
        let queue = house::open(&at(&stand_in.url(), &[]));
        stand_in.refuse(Some("\"3\""));
        let all: Vec<_> = (0..30).map(|n| job("a", &format!("group {}", n % 2), n)).collect();
        let error = queue.push(all).await.unwrap_err();
        assert!(matches!(error.reason, QueueError::Refused(_)), "{error}");
        let left: Vec<usize> = error.jobs.iter().map(house::number).collect();
        // What went in the same call cannot be held back.
        let later = |number: &usize| number % 2 == 1 && *number > 3;
        assert!(left[0] == 3 && left[1..].iter().all(later) && left.contains(&29), "{left:?}");
        assert!(left.is_sorted(), "{left:?}");
    }

    #[tokio::test]
    async fn idle_polls_wait() {
        let stand_in = StandIn::start().await;
        let queue = house::open(&at(&stand_in.url(), &[]));
        let mut consumer = queue.consume(Arc::new(Rooms::default()));
        queue.push(jobs(0, 1, 1, 1)).await.unwrap();
        next(&mut consumer).await.done();
        let early = tokio::time::timeout(Duration::from_secs(1), consumer.next()).await;
        assert!(early.is_err());
        assert!(stand_in.polls() < 5, "{}", stand_in.polls());
    }
}

mod fifo {
    use super::*;

    behaves! { async |name: &str| env(&format!("{name}.fifo"), &[]);
        bytes_arrive_as_they_are();
        a_group_has_one_job_in_hand();
        whoever_stops_leaves_its_jobs_to_others();
        depth_and_age(false);
    }
}

mod standard {
    use super::*;

    behaves! { async |name: &str| env(name, &[]);
        bytes_arrive_as_they_are();
        what_is_dropped_comes_again();
    }

    #[tokio::test]
    async fn everything_is_done_by_two_workers() {
        let env = env("everything", &[("QUEUE_SQS_PROCESS_BATCH", "false")]);
        let (one, two) = (house::open(&env), house::open(&env));
        let log = Arc::new(Log::default());
        let workers = [do_all(&one, &log), do_all(&two, &log)];
        one.push(jobs(0, 60, 4, 2)).await.unwrap();
        until("all is done", async || log.count() == 60).await;
        until("nothing is left", async || one.depth().await.unwrap().jobs == 0).await;
        for worker in workers {
            worker.abort();
        }
    }
}

#[tokio::test]
async fn a_message_that_is_no_job_is_left_where_it_is() {
    let env = env("foreign", &[]);
    let url = env.iter().find(|(name, _)| name == "QUEUE_SQS_URL").unwrap().1.clone();
    let body = serde_json::json!({ "QueueUrl": url, "MessageBody": "{\"appId\":\"x\"}" });
    call("SendMessage", &body.to_string());
    let queue = house::open(&env);
    queue.push(vec![job("a", "b", 1)]).await.unwrap();
    let mut consumer = queue.consume(Arc::new(Rooms::default()));
    next(&mut consumer).await.done();
    until("one is left", async || queue.depth().await.unwrap().jobs == 1).await;
    until("it is counted", async || queue.counters().errors == 1).await;
}

#[tokio::test]
async fn a_job_that_is_too_large_is_refused_and_the_others_are_not() {
    let queue = house::open(&env("large.fifo", &[]));
    let mut large = job("a", "b", 1);
    large.payload = vec![b'x'; (1 << 20) + 1].into();
    let error = queue.push(vec![job("a", "b", 0), large.clone()]).await.unwrap_err();
    assert!(matches!(error.reason, QueueError::TooLarge { .. }), "{error}");
    assert_eq!(error.jobs, [large]);
    assert_eq!((queue.counters().pushed, queue.counters().refused), (1, 1));
    assert_eq!(queue.depth().await.unwrap().jobs, 1);
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_refused_and_one_out_of_reach_is_away() {
    let mut there = env("there", &[]);
    let url = there.iter_mut().find(|(name, _)| name == "QUEUE_SQS_URL").unwrap();
    url.1 = url.1.replace("/there", "/elsewhere");
    let error = house::open(&there).push(jobs(0, 1, 1, 1)).await.unwrap_err();
    assert!(matches!(error.reason, QueueError::Refused(_)), "{error}");
    let port = testkit::redis::free_port();
    let endpoint = format!("http://127.0.0.1:{port}");
    there.push(("QUEUE_SQS_ENDPOINT".into(), endpoint));
    let queue = house::open(&there);
    let error = queue.push(jobs(0, 25, 2, 1)).await.unwrap_err();
    assert!(matches!(error.reason, QueueError::Away(_)), "{error}");
    assert_eq!(error.jobs.len(), 25);
    assert!(!queue.counters().is_up && queue.counters().errors > 0);
}

/// Room that a test must not forget to ask for.
struct Never;

impl Room for Never {
    fn room(&self, _: &str) -> usize {
        0
    }
}

#[tokio::test]
async fn nothing_is_taken_in_without_room() {
    let queue = house::open(&env("never.fifo", &[]));
    queue.push(jobs(0, 20, 2, 2)).await.unwrap();
    let mut consumer = queue.consume(Arc::new(Never));
    let early = tokio::time::timeout(Duration::from_secs(2), consumer.next()).await;
    assert!(early.is_err());
    assert_eq!(queue.depth().await.unwrap().jobs, 20);
}

//! What holds for every queue. Each function gets a way to open the same queue once more, as another
//! node does.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use queues::Queue;

use crate::house::{Log, Rooms, do_all, job, jobs, next, number, until};

pub(crate) type Open<'a> = &'a dyn Fn() -> Queue;

pub(crate) async fn what_is_pushed_is_done_in_order(open: Open<'_>, count: usize) {
    let (here, there) = (open(), open());
    let log = Arc::new(Log::default());
    let worker = do_all(&there, &log);
    for from in (0..count).step_by(50) {
        here.push(jobs(from, 50, 5, 4)).await.unwrap();
    }
    until("all is done", async || log.len() >= count).await;
    until("nothing is left", async || here.depth().await.unwrap().jobs == 0).await;
    log.check_order();
    assert_eq!((log.len(), log.count()), (count, count));
    let (pushed, done) = (here.counters(), there.counters());
    assert_eq!((pushed.pushed, pushed.handed_out), (count as u64, 0));
    assert_eq!((done.handed_out, done.done), (count as u64, count as u64));
    assert!(pushed.is_up && done.is_up && done.errors == 0);
    worker.abort();
}

pub(crate) async fn bytes_arrive_as_they_are(open: Open<'_>) {
    let queue = open();
    let mut consumer = queue.consume(Arc::new(Rooms::default()));
    let all: Vec<u8> = (0..=255).collect();
    let odd = "\u{0}\u{1f}\u{fffe}\u{ffff}{}\"\\ü🦆\r\n";
    let large = [b'x'; 200_000];
    let payloads = [&b""[..], b"text", odd.as_bytes(), &all, &large];
    for (n, payload) in payloads.into_iter().enumerate() {
        let mut job = job(odd, &format!("{odd}{n}"), 0);
        job.payload = payload.to_vec().into();
        queue.push(vec![job.clone()]).await.unwrap();
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.job, job);
        delivery.done();
    }
}

pub(crate) async fn a_partition_without_room_does_not_hold_up_another(open: Open<'_>) {
    let queue = open();
    queue.push(jobs(0, 30, 1, 3)).await.unwrap();
    queue.push(vec![job("other", "a", 100), job("other", "b", 101)]).await.unwrap();
    let rooms = Rooms::without("lane 0");
    let mut consumer = queue.consume(rooms.clone());
    for _ in 0..2 {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.job.partition, "other");
        delivery.done();
    }
    rooms.open_all();
    let log = Log::default();
    while log.len() < 30 {
        let delivery = next(&mut consumer).await;
        log.add(&delivery.job);
        delivery.done();
    }
    assert_eq!(log.count(), 30);
    log.check_order();
}

pub(crate) async fn a_group_has_one_job_in_hand(open: Open<'_>) {
    let queue = open();
    queue.push(vec![job("a", "x", 0), job("a", "x", 1), job("a", "y", 2)]).await.unwrap();
    let mut consumer = queue.consume(Arc::new(Rooms::default()));
    let first = next(&mut consumer).await;
    let second = next(&mut consumer).await;
    let got: HashSet<usize> = [&first, &second].map(|delivery| number(&delivery.job)).into();
    assert_eq!(got, [0, 2].into());
    let early = tokio::time::timeout(Duration::from_millis(300), consumer.next()).await;
    assert!(early.is_err(), "the first of its group is not done");
    first.done();
    second.done();
    let third = next(&mut consumer).await;
    assert_eq!(number(&third.job), 1);
    third.done();
}

pub(crate) async fn what_is_dropped_comes_again(open: Open<'_>) {
    let queue = open();
    queue.push(vec![job("a", "x", 0), job("a", "x", 1)]).await.unwrap();
    let mut consumer = queue.consume(Arc::new(Rooms::default()));
    for before in 0..2 {
        let delivery = next(&mut consumer).await;
        assert_eq!((number(&delivery.job), delivery.handed_out_before()), (0, before));
        drop(delivery);
    }
    for expected in 0..2 {
        let delivery = next(&mut consumer).await;
        assert_eq!(number(&delivery.job), expected, "in order all the same");
        delivery.done();
    }
    until("nothing is left", async || queue.depth().await.unwrap().jobs == 0).await;
}

pub(crate) async fn whoever_stops_leaves_its_jobs_to_others(open: Open<'_>) {
    let (one, two) = (open(), open());
    one.push(jobs(0, 20, 2, 2)).await.unwrap();
    let mut first = one.consume(Arc::new(Rooms::default()));
    let done = next(&mut first).await;
    let done_number = number(&done.job);
    let in_hand = next(&mut first).await;
    let in_hand_number = number(&in_hand.job);
    done.done();
    first.close().await;
    drop(in_hand);
    let log = Arc::new(Log::default());
    let worker = do_all(&two, &log);
    until("the others are done", async || log.count() == 19).await;
    until("nothing is left", async || two.depth().await.unwrap().jobs == 0).await;
    log.check_order();
    assert_eq!(log.len(), 19, "what was done is not done again");
    assert!(two.counters().taken_over >= 1, "{in_hand_number} was in hand, {done_number} done");
    worker.abort();
}

/// A process that is killed says no goodbye.
pub(crate) async fn a_dead_workers_jobs_are_taken_over(open: Open<'_>) {
    let (one, two) = (open(), open());
    two.push(jobs(0, 40, 4, 2)).await.unwrap();
    let (in_hand, has_in_hand) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut held = runtime.block_on(async {
            let mut consumer = one.consume(Arc::new(Rooms::default()));
            let held = [next(&mut consumer).await, next(&mut consumer).await];
            (held, consumer)
        });
        in_hand.send(()).unwrap();
        ended.recv().unwrap();
        // Its tasks are never polled again.
        drop(runtime);
        let _ = &mut held;
    });
    has_in_hand.recv().unwrap();
    end.send(()).unwrap();
    thread.join().unwrap();
    let log = Arc::new(Log::default());
    let begin = Instant::now();
    let worker = do_all(&two, &log);
    until("all is done", async || log.count() == 40).await;
    until("nothing is left", async || two.depth().await.unwrap().jobs == 0).await;
    log.check_order();
    println!("taken over after {:?}", begin.elapsed());
    worker.abort();
}

pub(crate) async fn two_workers_share(open: Open<'_>, count: usize) {
    let (one, two) = (open(), open());
    let log = Arc::new(Log::default());
    let workers = [do_all(&one, &log), do_all(&two, &log)];
    for from in (0..count).step_by(40) {
        one.push(jobs(from, 40, 8, 2)).await.unwrap();
    }
    until("all is done", async || log.count() == count).await;
    until("nothing is left", async || one.depth().await.unwrap().jobs == 0).await;
    log.check_order();
    for worker in workers {
        worker.abort();
    }
}

pub(crate) async fn depth_and_age(open: Open<'_>, knows_age: bool) {
    let queue = open();
    let empty = queue.depth().await.unwrap();
    assert_eq!((empty.jobs, empty.oldest), (0, None));
    queue.push(jobs(0, 7, 3, 1)).await.unwrap();
    let depth = queue.depth().await.unwrap();
    assert_eq!(depth.jobs, 7);
    if knows_age {
        until("it gets older", async || {
            queue.depth().await.unwrap().oldest > Some(Duration::from_millis(50))
        })
        .await;
    }
}

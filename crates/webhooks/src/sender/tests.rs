//! The driver, with a transport that does as it is told and a clock that runs only when nothing
//! else does.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::*;
use crate::{Destination, Reason};

/// What happens to an attempt at this time.
type Answer = fn(Duration, &Job) -> Result<(), Failure>;

struct Told {
    since: Instant,
    answer: Answer,
    attempts: Arc<AtomicUsize>,
}

impl Transport for Told {
    fn attempt<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let result = (self.answer)(self.since.elapsed(), job);
            tokio::time::sleep(Duration::from_millis(2)).await;
            result
        })
    }
}

fn sender(answer: Answer) -> (Sender, Arc<AtomicUsize>) {
    let attempts = Arc::new(AtomicUsize::new(0));
    let told = Told { since: Instant::now(), answer, attempts: attempts.clone() };
    (Sender::with(Settings::default(), Box::new(told)), attempts)
}

fn job(host: &str, group: &str) -> Job {
    Job {
        to: Destination::of_url("app", format!("http://{host}/hook")).into(),
        group: group.into(),
        body: "{}".into(),
        events: 3,
        created_ms: 0,
    }
}

fn down() -> Result<(), Failure> {
    Err(Failure::Unreachable("down".into()))
}

fn series(sender: &Sender, target: &str) -> TargetCounters {
    let all = sender.counters();
    all.into_iter().find(|series| &*series.target == target).expect("it was counted")
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_events_survive_an_outage_of_thirty_seconds() {
    let outage = Duration::from_secs(30);
    let (sender, attempts) = sender(|at, _| match at < Duration::from_secs(30) {
        true => down(),
        false => Ok(()),
    });
    let (done, mut finished) = mpsc::unbounded_channel();
    for number in 0..10_000 {
        let done = done.clone();
        let group = format!("group {}", number % 50);
        sender.submit(job("a", &group), move |outcome| _ = done.send((number, outcome)));
    }
    assert_eq!(series(&sender, "a").pending_jobs, 10_000);
    let mut last = [-1; 50];
    for _ in 0..10_000 {
        let (number, outcome) = finished.recv().await.unwrap();
        assert_eq!(outcome, Outcome::Delivered);
        let last = &mut last[usize::try_from(number % 50).unwrap()];
        assert!(*last < number, "{number} after {last}");
        *last = number;
    }
    let counted = series(&sender, "a");
    assert_eq!(counted.events_delivered, 30_000);
    assert_eq!(
        (counted.attempts.delivered, counted.pending_jobs, counted.pending_bytes),
        (10_000, 0, 0)
    );
    let failed = counted.attempts.unreachable;
    assert!((8..20).contains(&failed), "{failed} attempts during {outage:?}");
    assert_eq!(attempts.load(Ordering::Relaxed) as u64, 10_000 + failed);
    assert_eq!(counted.latency.count, 10_000 + failed);
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_five_minutes_is_given_up_and_counted() {
    let (sender, _) = sender(|_, _| down());
    let (done, mut finished) = mpsc::unbounded_channel();
    sender.submit(job("a", "g"), move |outcome| _ = done.send(outcome));
    let since = Instant::now();
    let outcome = finished.recv().await.unwrap();
    assert!(matches!(outcome, Outcome::GivenUp(Reason::Expired { .. })), "{outcome:?}");
    assert!((300..302).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    let counted = series(&sender, "a");
    assert_eq!((counted.given_up.expired, counted.events_given_up), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn flushing_tries_once_more_and_says_what_is_left() {
    let (sender, attempts) = sender(|at, job| match at > Duration::from_secs(1) {
        true if &*job.to.label == "back" => Ok(()),
        _ => down(),
    });
    for number in 0..20 {
        let host = if number % 2 == 0 { "back" } else { "dead" };
        sender.submit(job(host, &format!("group {number}")), |_| {});
    }
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let before = attempts.load(Ordering::Relaxed);
    let since = Instant::now();
    assert_eq!(sender.flush(Duration::from_secs(10)).await, 10);
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    assert_eq!(attempts.load(Ordering::Relaxed) - before, 10 + 8);
    assert_eq!(series(&sender, "back").attempts.delivered, 10);
}

#[tokio::test(start_paused = true)]
async fn flushing_ends_at_its_deadline_and_dropping_calls_nobody() {
    struct Hangs;
    impl Transport for Hangs {
        fn attempt<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Result<(), Failure>> {
            Box::pin(std::future::pending())
        }
    }
    let sender = Sender::with(Settings::default(), Box::new(Hangs));
    let (done, mut finished) = mpsc::unbounded_channel::<Outcome>();
    sender.submit(job("a", "g"), move |outcome| _ = done.send(outcome));
    let since = Instant::now();
    assert_eq!(sender.flush(Duration::from_secs(3)).await, 1);
    assert_eq!(since.elapsed(), Duration::from_secs(3));
    drop(sender);
    assert_eq!(finished.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_has_failed() {
    struct Panics(AtomicUsize);
    impl Transport for Panics {
        fn attempt<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Result<(), Failure>> {
            Box::pin(async {
                assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "the first one");
                Ok(())
            })
        }
    }
    let sender = Sender::with(Settings::default(), Box::new(Panics(AtomicUsize::new(0))));
    let (done, mut finished) = mpsc::unbounded_channel();
    sender.submit(job("a", "g"), move |outcome| _ = done.send(outcome));
    assert_eq!(finished.recv().await, Some(Outcome::Delivered));
    assert_eq!(series(&sender, "a").attempts.unreachable, 1);
}

#[tokio::test(start_paused = true)]
async fn series_are_bounded() {
    let (sender, _) = sender(|_, _| Ok(()));
    for number in 0..1100 {
        sender.submit(job(&format!("host-{number}"), "g"), |_| {});
    }
    assert_eq!(sender.flush(Duration::from_secs(60)).await, 0);
    let all = sender.counters();
    assert_eq!(all.len(), crate::counters::MAX_SERIES + 1);
    let delivered: u64 = all.iter().map(|series| series.attempts.delivered).sum();
    assert_eq!((delivered, series(&sender, "other").attempts.delivered), (1100, 100));
}

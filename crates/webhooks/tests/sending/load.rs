//! Many events.

use std::time::Instant;

use super::target::{Reply, Target};
use super::*;

#[tokio::test]
async fn four_thousand_events_in_order_per_channel() {
    const EVENTS: usize = 4000;
    let target = Target::start(|_, _| Reply::status(200)).await;
    let sender = sender(settings());
    let hook = webhook(WebhookTarget::Url(target.url("/")), &[]);
    let since = Instant::now();
    for number in 0..EVENTS {
        let group = format!("group {}", number % 100);
        sender.submit(job_for("app", &hook, &group, &number.to_string()), |_| {});
    }
    assert_eq!(soon(sender.flush(TEST_TIMEOUT)).await, 0);
    let rate = EVENTS as f64 / since.elapsed().as_secs_f64();
    println!("{rate:.0} requests/s over {} connections", target.connections());
    let received = target.received();
    assert_eq!(received.len(), EVENTS);
    assert!(target.connections() <= 16, "{} connections", target.connections());
    let mut last = [None; 100];
    for request in &received {
        let number: usize = std::str::from_utf8(&request.body).unwrap().parse().unwrap();
        assert!(last[number % 100] < Some(number));
        last[number % 100] = Some(number);
    }
}

#[tokio::test]
async fn a_target_that_hangs_costs_a_bounded_amount() {
    const EVENTS: u64 = 60_000;
    let target = Target::start(|_, _| Reply::Hang).await;
    let sender = sender(settings());
    let hook = webhook(WebhookTarget::Url(target.url("/")), &[]);
    let to = Arc::new(Destination::new("app".into(), &hook));
    for number in 0..EVENTS {
        let group = format!("group {}", number % 1000).into();
        let body = format!("{number:0200}").into();
        let job = Job { to: to.clone(), group, body, events: 1, created_ms: 1 };
        sender.submit(job, |_| {});
    }
    assert_eq!(sender.room(&to.partition), 0);
    let counters = loop {
        let counters = counted(&sender);
        if counters.given_up.full + counters.pending_jobs as u64 == EVENTS {
            break counters;
        }
        tokio::task::yield_now().await;
    };
    assert!(counters.pending_bytes <= 16 << 20 && counters.given_up.full > EVENTS / 4);
    assert!(target.connections() <= 8);
}

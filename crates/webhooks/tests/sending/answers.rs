//! What targets may do, and what comes of it (K3).

use std::net::TcpListener;

use tokio::sync::mpsc;

use super::target::{Reply, Target};
use super::*;

#[tokio::test]
async fn k3_what_fails_is_sent_again_byte_for_byte() {
    let target = Target::start(|number, _| match number {
        0 => Reply::status(500),
        1 => Reply::status(404),
        2 => Reply::Close,
        3 => Reply::Bytes(b"no HTTP at all\r\n\r\n".to_vec()),
        _ => Reply::status(204),
    })
    .await;
    let sender = sender(settings());
    assert_eq!(send(&sender, job(&target.url("/"), "{\"n\":1}")).await, Outcome::Delivered);
    let received = target.received();
    // One more if a connection was closed before it was known to be good.
    assert!((5..=6).contains(&received.len()), "{received:?}");
    for request in &received {
        assert_eq!((&request.head, &request.body), (&received[0].head, &received[0].body));
    }
    let attempts = counted(&sender).attempts;
    assert_eq!((attempts.delivered, attempts.status), (1, 2));
    assert!(attempts.unreachable >= 1);
}

#[tokio::test]
async fn every_status_of_success_is_one() {
    let target = Target::start(|_, request| {
        let path = request.head.split(' ').nth(1).unwrap();
        Reply::status(path[1..].parse().unwrap())
    })
    .await;
    let sender = sender(impatient());
    for status in [200, 201, 202, 299] {
        let outcome = send(&sender, job(&target.url(&format!("/{status}")), "{}")).await;
        assert_eq!(outcome, Outcome::Delivered, "{status}");
    }
    for status in [300, 400, 401, 404, 410, 429, 500, 503, 599] {
        let why = given_up(send(&sender, job(&target.url(&format!("/{status}")), "{}")).await);
        assert!(why.contains(&format!("answered with status {status}")), "{why}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Target::start(|_, _| Reply::status(200)).await;
    let location = elsewhere.url("/");
    let target = Target::start(move |_, _| Reply::with(302, &[("Location", &location)], "")).await;
    let sender = sender(impatient());
    let why = given_up(send(&sender, job(&target.url("/"), "{}")).await);
    assert!(why.ends_with("answered with status 302, redirects are not followed"), "{why}");
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_target_that_hangs_is_not_waited_for() {
    let target = Target::start(|_, _| Reply::Hang).await;
    let sender = sender(Settings { timeout: Duration::from_millis(300), ..impatient() });
    let why = given_up(send(&sender, job(&target.url("/"), "{}")).await);
    assert!(why.ends_with("no answer within 300ms"), "{why}");
    assert_eq!(counted(&sender).attempts.timed_out, 1);
}

#[tokio::test]
async fn a_target_that_is_slow_is_waited_for() {
    let reply = b"HTTP/1.1 200 So\r\nContent-Length: 0\r\n\r\n".to_vec();
    let target =
        Target::start(move |_, _| Reply::Slowly(Duration::from_millis(300), reply.clone())).await;
    let sender = sender(impatient());
    assert_eq!(send(&sender, job(&target.url("/"), "{}")).await, Outcome::Delivered);
    let latency = counted(&sender).latency;
    assert!(latency.count == 1 && latency.sum >= Duration::from_millis(300), "{latency:?}");
    assert_eq!(latency.buckets[..6], [0; 6], "{latency:?}");
}

#[tokio::test]
async fn a_body_that_does_not_end_well_is_of_no_interest() {
    let target = Target::start(|number, _| match number {
        0 => Reply::Endless,
        1 => Reply::HalfABody,
        _ => Reply::status(200),
    })
    .await;
    let sender = sender(impatient());
    for _ in 0..3 {
        assert_eq!(send(&sender, job(&target.url("/"), "{}")).await, Outcome::Delivered);
    }
    let connections: Vec<_> = target.received().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 1, 2]);
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sender = sender(impatient());
    let why = given_up(send(&sender, job(&format!("http://{free}/"), "{}")).await);
    assert!(why.contains("unreachable") && why.contains("refused"), "{why}");
    assert_eq!(counted(&sender).attempts.unreachable, 1);
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let sender = sender(impatient());
    let why = given_up(send(&sender, job("http://nobody.invalid/", "{}")).await);
    assert!(why.contains("unreachable") && why.contains("nobody.invalid"), "{why}");
}

#[tokio::test]
async fn a_dead_target_holds_up_nobody_else() {
    let dead = Target::start(|_, _| Reply::Hang).await;
    let well = Target::start(|_, _| Reply::status(200)).await;
    let sender = sender(settings());
    for number in 0..100 {
        let hook = webhook(WebhookTarget::Url(dead.url("/")), &[]);
        sender.submit(job_for("app", &hook, &format!("group {number}"), "{}"), |_| {});
    }
    for _ in 0..20 {
        assert_eq!(send(&sender, job(&well.url("/"), "{}")).await, Outcome::Delivered);
    }
    assert_eq!(dead.received().len(), 8);
}

#[tokio::test]
async fn a_target_that_comes_back_gets_everything_in_order() {
    let target = Target::start(|number, _| match number {
        0..5 => Reply::status(503),
        _ => Reply::status(200),
    })
    .await;
    let sender = sender(settings());
    let (done, mut outcomes) = mpsc::unbounded_channel();
    for number in 0..200 {
        let hook = webhook(WebhookTarget::Url(target.url("/")), &[]);
        let (group, done) = (format!("group {}", number % 10), done.clone());
        let job = job_for("app", &hook, &group, &number.to_string());
        sender.submit(job, move |outcome| _ = done.send(outcome));
    }
    for _ in 0..200 {
        assert_eq!(soon(outcomes.recv()).await, Some(Outcome::Delivered));
    }
    let mut arrived = vec![Vec::new(); 10];
    for request in &target.received()[5..] {
        let number: usize = std::str::from_utf8(&request.body).unwrap().parse().unwrap();
        arrived[number % 10].push(number);
    }
    for (group, numbers) in arrived.iter().enumerate() {
        assert!(numbers.iter().copied().eq((group..200).step_by(10)), "{numbers:?}");
    }
}

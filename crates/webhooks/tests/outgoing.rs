//! Who is told of what, and in which requests (K3, K6, S17, S18).

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::time::Duration;

use config::{Secret, Webhook, WebhookTarget};
use serde_json::{Value, json};
use webhooks::{Event, Happening, Job, MAX_BATCH_BYTES, MAX_EVENTS, Outgoing, Routes};

const GATHER: Duration = Duration::from_millis(50);

fn hook(url: &str, types: &[&str]) -> Webhook {
    Webhook {
        target: WebhookTarget::Url(url.to_owned()),
        event_types: types.iter().map(|name| (*name).to_owned()).collect(),
        headers: vec![],
        channel_name_starts_with: None,
        channel_name_ends_with: None,
    }
}

fn occupied(app: &str, channel: &str, at_ms: u64) -> Happening {
    Happening::new(app.into(), &Event::ChannelOccupied { channel }, at_ms)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn push(
    outgoing: &mut Outgoing,
    now: Duration,
    routes: &Routes,
    happening: &Happening,
) -> Vec<Job> {
    let mut jobs = Vec::new();
    outgoing.push(now, routes, happening, &mut jobs);
    jobs
}

fn tick(outgoing: &mut Outgoing, now: Duration) -> Vec<Job> {
    let mut jobs = Vec::new();
    outgoing.tick(now, &mut jobs);
    jobs
}

fn body(job: &Job) -> Value {
    serde_json::from_slice(&job.body).unwrap()
}

fn channels(job: &Job) -> Vec<String> {
    let body = body(job);
    let events = body["events"].as_array().unwrap();
    events.iter().map(|event| event["channel"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn k3_unbatched_is_one_event_per_request() {
    let routes = Routes::new("1", &[hook("http://a/", &["channel_occupied", "channel_vacated"])]);
    let mut outgoing = Outgoing::new(None);
    let [job] = &push(&mut outgoing, ms(0), &routes, &occupied("1", "room", 42))[..] else {
        panic!("one job")
    };
    let text = r#"{"time_ms":42,"events":[{"name":"channel_occupied","channel":"room"}]}"#;
    assert_eq!(std::str::from_utf8(&job.body).unwrap(), text);
    assert_eq!((&*job.group, job.events, job.created_ms), ("room", 1, 42));
    assert_eq!((&*job.to.app, &*job.to.partition, &*job.to.label), ("1", "1 http://a/", "a"));
    assert_eq!(outgoing.due(), None);
}

#[test]
fn k6_types_and_both_filters_decide() {
    let mut filtered = hook("http://filtered/", &["channel_occupied"]);
    filtered.channel_name_starts_with = Some("beta-".to_owned());
    filtered.channel_name_ends_with = Some("-app".to_owned());
    let hooks = [
        filtered,
        hook("http://all/", &["channel_occupied"]),
        hook("http://other/", &["member_added", "no_such_event"]),
        hook("http://none/", &[]),
    ];
    let routes = Routes::new("1", &hooks);
    let mut outgoing = Outgoing::new(None);
    let mut told = |channel| -> Vec<String> {
        let jobs = push(&mut outgoing, ms(0), &routes, &occupied("1", channel, 1));
        jobs.iter().map(|job| job.to.label.to_string()).collect()
    };
    assert_eq!(told("beta-x-app"), ["filtered", "all"]);
    for channel in ["beta-x", "x-app", "xbeta-x-app", "beta-x-app2"] {
        assert_eq!(told(channel), ["all"], "{channel}");
    }
    use webhooks::EventKind as Kind;
    assert!(routes.want(Kind::ChannelOccupied) && routes.want(Kind::MemberAdded));
    assert!(!routes.want(Kind::CacheMiss));
    assert!(!Routes::new("1", &[hook("http://none/", &["no_such_event"])]).want(Kind::CacheMiss));
}

#[test]
fn s17_nothing_is_gathered_across_apps_or_targets() {
    let types = ["channel_occupied"];
    let first = Routes::new("1", &[hook("http://a/", &types), hook("http://b/", &types)]);
    let second = Routes::new("2", &[hook("http://a/", &types)]);
    let mut outgoing = Outgoing::new(Some(GATHER));
    for number in 0..3 {
        let channel = format!("one-{number}");
        assert!(push(&mut outgoing, ms(0), &first, &occupied("1", &channel, 7)).is_empty());
        let channel = format!("two-{number}");
        assert!(push(&mut outgoing, ms(1), &second, &occupied("2", &channel, 8)).is_empty());
    }
    assert_eq!(outgoing.due(), Some(GATHER));
    assert!(tick(&mut outgoing, ms(49)).is_empty());
    let jobs = tick(&mut outgoing, ms(51));
    let told: Vec<_> =
        jobs.iter().map(|job| (&*job.to.app, &*job.to.label, channels(job))).collect();
    let ones = || vec!["one-0".to_owned(), "one-1".to_owned(), "one-2".to_owned()];
    let twos = vec!["two-0".to_owned(), "two-1".to_owned(), "two-2".to_owned()];
    assert_eq!(told, [("1", "a", ones()), ("1", "b", ones()), ("2", "a", twos)]);
    assert!(jobs.iter().all(|job| job.group == job.to.partition && job.events == 3));
    assert_eq!(outgoing.due(), None);
}

#[test]
fn s18_only_what_passes_the_filter_is_gathered() {
    let mut filtered = hook("http://a/", &["channel_occupied"]);
    filtered.channel_name_starts_with = Some("room-".to_owned());
    let routes = Routes::new("1", &[filtered]);
    let mut outgoing = Outgoing::new(Some(GATHER));
    for channel in ["room-1", "lobby", "room-2"] {
        push(&mut outgoing, ms(0), &routes, &occupied("1", channel, 1));
    }
    let vacated = Event::ChannelVacated { channel: "room-1" };
    push(&mut outgoing, ms(0), &routes, &Happening::new("1".into(), &vacated, 1));
    let [job] = &tick(&mut outgoing, GATHER)[..] else { panic!("one job") };
    assert_eq!(channels(job), ["room-1", "room-2"]);
}

#[test]
fn k3_a_request_has_so_many_events_at_most() {
    let routes = Routes::new("1", &[hook("http://a/", &["channel_occupied"])]);
    let mut outgoing = Outgoing::new(Some(GATHER));
    let mut jobs = Vec::new();
    for number in 0..2 * MAX_EVENTS + 1 {
        let happening = occupied("1", &format!("c{number}"), 100 + number as u64);
        outgoing.push(ms(number as u64), &routes, &happening, &mut jobs);
    }
    assert_eq!(jobs.len(), 2);
    // The clock of the last one began with its first event.
    assert_eq!(outgoing.due(), Some(ms(40) + GATHER));
    outgoing.tick(ms(90), &mut jobs);
    let all: Vec<_> = jobs.iter().flat_map(channels).collect();
    assert!(all.iter().enumerate().all(|(n, channel)| *channel == format!("c{n}")));
    let counts: Vec<_> = jobs.iter().map(|job| job.events).collect();
    assert_eq!(counts, [20, 20, 1]);
    let times: Vec<_> = jobs.iter().map(|job| body(job)["time_ms"].clone()).collect();
    assert_eq!(times, [json!(119), json!(139), json!(140)]);
}

#[test]
fn a_request_has_so_many_bytes_at_most() {
    let routes = Routes::new("1", &[hook("http://a/", &["client_event"])]);
    let mut outgoing = Outgoing::new(Some(GATHER));
    let mut jobs = Vec::new();
    let mut big = |bytes: usize, outgoing: &mut Outgoing| {
        let data = protocol::Data::from_text(&"x".repeat(bytes));
        let event = Event::ClientEvent {
            channel: "private-a",
            event: "client-a",
            data: Some(&data),
            socket_id: "1.1",
            user_id: None,
        };
        outgoing.push(ms(0), &routes, &Happening::new("1".into(), &event, 1), &mut jobs);
    };
    for _ in 0..5 {
        big(90 << 10, &mut outgoing);
    }
    // One that is too big for any is sent all the same.
    big(300 << 10, &mut outgoing);
    outgoing.tick(GATHER, &mut jobs);
    let counts: Vec<_> = jobs.iter().map(|job| job.events).collect();
    assert_eq!(counts, [2, 2, 1, 1]);
    assert!(jobs[..3].iter().all(|job| job.body.len() <= MAX_BATCH_BYTES + 64));
}

#[test]
fn targets_that_differ_in_headers_only_share_a_partition_but_no_request() {
    let mut with = hook("http://a/", &["channel_occupied"]);
    with.headers.push(("X-A".to_owned(), Secret::new("b")));
    let hooks = [hook("http://a/", &["channel_occupied"]), with];
    let mut outgoing = Outgoing::new(Some(GATHER));
    // Settings that were read anew make the same destinations.
    for channel in ["one", "two"] {
        push(&mut outgoing, ms(0), &Routes::new("1", &hooks), &occupied("1", channel, 1));
    }
    let jobs = tick(&mut outgoing, GATHER);
    assert_eq!(jobs.len(), 2);
    assert_eq!(jobs[0].to.partition, jobs[1].to.partition);
    for (job, headers) in jobs.iter().zip([0, 1]) {
        assert_eq!((channels(job).len(), job.to.headers.len()), (2, headers));
    }
}

#[test]
fn what_is_gathered_is_bounded() {
    let mut outgoing = Outgoing::new(Some(Duration::from_secs(3600)));
    let data = protocol::Data::from_text(&"x".repeat(100 << 10));
    let event = Event::ClientEvent {
        channel: "private-a",
        event: "client-a",
        data: Some(&data),
        socket_id: "1.1",
        user_id: None,
    };
    let mut jobs = Vec::new();
    for app in 0..200 {
        let app = app.to_string();
        let routes = Routes::new(&app, &[hook("http://a/", &["client_event"])]);
        let happening = Happening::new(app.into(), &event, 1);
        outgoing.push(ms(0), &routes, &happening, &mut jobs);
    }
    // 16 MiB of them were sent early.
    assert!((160..170).contains(&jobs.len()), "{}", jobs.len());
    outgoing.flush(&mut jobs);
    assert_eq!(jobs.len(), 200);
}

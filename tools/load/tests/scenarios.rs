//! Every sub-command against the floor: what was sent is what arrived, counted exactly.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use support::{Floor, json, load};

fn count(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("no count {name:?} in {report}"))
}

fn assert_exact(report: &Value, receivers: u64) {
    assert!(count(report, "events") > 0, "{report}");
    assert_eq!(count(report, "deliveries"), count(report, "events") * receivers, "{report}");
    for fault in ["lost", "repeated"] {
        assert_eq!(count(report, fault), 0, "{fault} in {report}");
    }
}

#[test]
fn fanout_reaches_everybody_once_on_both_floors() {
    for mode in [&[][..], &["--coalesce"]] {
        let floor = Floor::start(mode);
        let report = json(&floor.run("fanout --subscribers 50 --seconds 0.5 --warmup 0.2"));
        assert_exact(&report, 50);
        assert_eq!(count(&report, "out_of_order"), 0);
        assert_eq!(count(&report, "publishing_connections"), 8);
        assert!(report["deliveries_per_s"].as_f64() > Some(0.0), "{report}");
        assert!(report["cpu_us_per_delivery"].as_f64().is_some(), "{report}");
        assert!(report["delivery_p99_us"].as_u64() >= report["delivery_p50_us"].as_u64());
    }
}

#[test]
fn fanout_deep_in_flight_with_and_without_pipelining() {
    let floor = Floor::start(&[]);
    let shape = "fanout --subscribers 10 --publishers 2 --in-flight 64 --seconds 0.3 --warmup 0.1";
    let pipelined = json(&floor.run(shape));
    assert_exact(&pipelined, 10);
    assert_eq!(count(&pipelined, "publishing_connections"), 2);
    let separate = json(&floor.run(&format!("{shape} --no-pipelining")));
    assert_exact(&separate, 10);
    assert_eq!(count(&separate, "publishing_connections"), 64);
}

#[test]
fn fanout_at_a_rate_keeps_its_schedule() {
    let floor = Floor::start(&[]);
    let report = json(&floor.run("fanout --subscribers 20 --rate 50 --seconds 1 --warmup 0"));
    assert_exact(&report, 20);
    // 50 are due; a machine that is held up just before the end may miss the last few.
    assert!((40..=50).contains(&count(&report, "events")), "{report}");
}

#[test]
fn publish_answers_and_delivers_each() {
    let floor = Floor::start(&[]);
    let report = json(&floor.run("publish --connections 4 --seconds 0.5 --warmup 0.1"));
    assert_exact(&report, 1);
    assert!(report["publishes_per_s"].as_f64() > Some(0.0), "{report}");
    assert!(report["answer_p50_us"].as_u64() > Some(0), "{report}");
}

#[test]
fn churn_does_the_cycles_asked_for() {
    let floor = Floor::start(&[]);
    let report = json(&floor.run("churn --cycles 300 --warmup-cycles 20 --concurrency 8"));
    assert_eq!((count(&report, "cycles"), count(&report, "deliveries")), (300, 0));
    let report = json(&floor.run("churn --cycles 100 --warmup-cycles 20 --abrupt"));
    assert_eq!(count(&report, "cycles"), 100);
    let report = json(&floor.run("churn --publish --cycles 200 --warmup-cycles 20"));
    assert_eq!(count(&report, "published"), 220);
    assert_eq!(count(&report, "deliveries"), 220);
    assert!(report["rss_after_bytes"].as_u64() > Some(0), "{report}");
}

#[test]
fn idle_connections_are_pinged_and_weighed() {
    let floor = Floor::start(&[]);
    let report = json(&floor.run("idle --connections 200 --seconds 0.6 --ping-every 0.3"));
    assert_eq!(count(&report, "connections"), 200);
    assert!(count(&report, "pings_sent") >= 200, "{report}");
    assert_eq!(count(&report, "pongs_received"), count(&report, "pings_sent"));
    assert!(report["rss_bytes_per_connection"].as_f64().is_some(), "{report}");
}

#[test]
fn several_servers_share_the_connections() {
    let floors = [Floor::start(&[]), Floor::start(&[])];
    let urls = floors.each_ref().map(|floor| floor.url.clone()).join(",");
    let command =
        format!("idle --connections 100 --seconds 0.1 --ping-every 0.1 --json --url {urls}");
    let report = json(&load(&command));
    assert_eq!(count(&report, "pongs_received"), count(&report, "pings_sent"));
    assert!(report["rss_before_bytes"].is_null(), "nothing to weigh without a pid: {report}");
}

#[test]
fn many_channels_each_reach_their_own_subscriber() {
    let floor = Floor::start(&["--coalesce"]);
    let report =
        json(&floor.run(
            "channels --channels 500 --connections 10 --publishers 4 --seconds 0.5 --warmup 0.1",
        ));
    assert_exact(&report, 1);
    assert_eq!(count(&report, "misdelivered"), 0);
    assert!(report["rss_bytes_per_channel"].as_f64().is_some(), "{report}");
}

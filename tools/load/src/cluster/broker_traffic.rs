//! What nodes hand to a broker, for each thing that they do.

use crate::comparison::Measure;
use crate::meter::Meter;
use crate::report::Report;
use crate::server::process::Server;
use anyhow::Result;
use std::thread;
use std::time::Duration;

/// Adds how many messages a cycle of connect, subscribe and close causes.
pub(super) fn messages_per_subscribe(measure: Measure<'_>) -> Measure<'_> {
    Box::new(move |on| {
        let idle = idle_messages(&on.server)?;
        let mut report = measure(on)?;
        per(&mut report, "broker_messages", idle, ("cycles", 1.0), "messages_per_subscribe");
        Ok(report)
    })
}

/// Adds how often an event with so many bytes of data crosses the broker, if it has to.
pub(super) fn crossings(measure: Measure<'_>, payload: usize) -> Measure<'_> {
    Box::new(move |on| {
        let mut report = measure(on)?;
        let measured = report.get("publishes_per_s").zip(report.get("measured_s"));
        report.figure("published", measured.map_or(f64::NAN, |(rate, time)| rate * time), "");
        // Channels are random, so all but one in so many events go to another node.
        let elsewhere = 1.0 - 1.0 / on.target.len() as f64;
        let size = payload as f64 * elsewhere;
        per(&mut report, "broker_bytes", 0.0, ("published", size), "crossings");
        Ok(report)
    })
}

/// Messages per second that the nodes hand to a broker while nothing happens: heartbeats.
fn idle_messages(server: &Server) -> Result<f64> {
    let mut report = Report::new("idle");
    let meter = Meter::start(server)?;
    thread::sleep(Duration::from_secs(1));
    meter.stop(server)?.shares(&mut report);
    let rate = report.get("broker_messages").zip(report.get("measured_s"));
    Ok(rate.map_or(0.0, |(messages, time)| messages / time))
}

/// Adds `name`: the figure called `of` for each of `count`, what comes by itself (so much a second)
/// left aside, in units of `size`.
fn per(report: &mut Report, of: &str, by_itself: f64, (count, size): (&str, f64), name: &str) {
    let all = [of, "measured_s", count].map(|name| report.get(name));
    if let [Some(value), Some(time), Some(count)] = all {
        let caused = (value - by_itself * time).max(0.0);
        report.figure(name, caused / count / size, "");
    }
}

//! The page of a suite's results, in Markdown.

use super::Options;
use super::bars::{Against, Verdict, judge};
use super::results::{Contender, Results, Scenario};
use crate::report::readable;
use crate::tables::{faults, machine, spread, table};
use std::fmt::Write;

const CONTENDERS: [Contender; 3] = [Contender::Floor, Contender::Coalescing, Contender::Server];

/// The whole page.
pub(crate) fn write(results: &Results, options: &Options) -> String {
    let mut page = introduction(options);
    page.push_str(&bars(&judge(results), options));
    page.push_str(&faults(results.failures()));
    page.push_str("\n## All figures\n\nMedians over the rounds.\n");
    let contenders = CONTENDERS.map(|one| (one, one.label(&options.name).to_owned()));
    for scenario in Scenario::ALL {
        page.push_str(&table(results, scenario, scenario.title(), &contenders));
    }
    page
}

// Writing to a String cannot fail, so the results of `write!` are left aside below.

fn introduction(options: &Options) -> String {
    let (name, size) = (&options.name, &options.size);
    format!(
        "# Benchmarks\n\n\
         Written by `load compare`: {name} against `load floor`, a single-threaded epoll loop \
         that checks nothing and sends prebuilt frames, in two modes: each frame by itself, and \
         (coalescing) whatever is pending for a socket with one send. Each scenario starts a \
         fresh process and runs floor, coalescing floor and {name} in turn, {rounds} rounds of \
         it; a ratio is taken within one round and the median over the rounds is shown, with the \
         smallest and the largest. CPU is user and system time of the server's process alone, \
         memory is resident memory, all from /proc; everything goes over loopback, and the load \
         generator shares the machine: {machine}.\n\n\
         - Fan-out, closed loop: {publishers} publishers keep {in_flight} events of 128 bytes in \
         flight, {subscribers} subscribers; an event is in flight until all of them have it. \
         Open loop: {rate} events per second on a fixed schedule, latency counted from the \
         scheduled time.\n\
         - HTTP publish: {publishers} keep-alive connections, one request outstanding on each.\n\
         - Connect, subscribe, close: {cycles} cycles, 32 at a time, close frames exchanged.\n\
         - Idle: {idle} subscribed connections, CPU over {idle_seconds} s.\n\
         - Many channels: {channels} channels with one subscriber each over {connections} \
         connections, published to at random, \
         against the same with one channel per connection.\n\n",
        rounds = options.rounds,
        machine = machine(),
        publishers = size.publishers,
        in_flight = size.in_flight,
        subscribers = readable(size.subscribers as f64),
        rate = size.rate,
        cycles = readable(size.cycles as f64),
        idle = readable(size.idle_connections as f64),
        idle_seconds = size.idle_seconds,
        channels = readable(size.channels as f64),
        connections = readable(size.channel_connections as f64),
    )
}

fn bars(verdicts: &[Verdict], options: &Options) -> String {
    let name = &options.name;
    let mut out = format!(
        "![How {name} stands to its bars](benchmarks.svg)\n\n\
         | | {name} | compared | bar | |\n|---|---:|---:|---:|---|\n"
    );
    for verdict in verdicts {
        let unit = match verdict.bar.against {
            Against::Floor => "x floor".to_owned(),
            Against::Nothing(unit) => unit.to_owned(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} {unit} | {} {unit} | {} |",
            verdict.bar.label,
            readable(verdict.value.median),
            spread(verdict.compared),
            verdict.bar.limit.text(),
            if verdict.met() { "met" } else { "**missed**" },
        );
    }
    out.push('\n');
    out
}

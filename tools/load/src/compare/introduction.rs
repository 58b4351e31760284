//! What the page says before its figures: who is compared, and how.

use super::CompareOptions;
use crate::machine;
use crate::report::readable;

/// The page up to its bars, in Markdown.
pub(super) fn write(options: &CompareOptions) -> String {
    let (name, size) = (&options.comparison.name, &options.size);
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
        rounds = options.comparison.rounds,
        machine = machine::description(),
        publishers = size.publishers,
        in_flight = size.in_flight,
        subscribers = readable(size.subscribers as f64),
        rate = size.rate,
        cycles = readable(size.cycles as f64),
        idle = readable(size.idle_connections as f64),
        idle_seconds = size.idle_seconds.as_secs_f64(),
        channels = readable(size.channels as f64),
        connections = readable(size.channel_connections as f64),
    )
}

//! What the page says before its figures: who is compared, and how.

use super::ClusterOptions;
use super::measurements::{FEW, FEW_PUBLISHERS};
use crate::machine;
use crate::report::readable;

/// The page up to its bars, in Markdown.
pub(super) fn write(options: &ClusterOptions) -> String {
    let (name, size) = (&options.comparison.name, &options.size);
    format!(
        "# Scaling: figures\n\n\
         Written by `load cluster`: several nodes of {name} over each adapter against one node on \
         its own, {rounds} rounds. A round starts fresh processes and brokers of its own and runs \
         each scenario on all setups in turn, another one first in every round; a ratio is taken \
         within one round and the median over the rounds is shown, with the smallest and the \
         largest. CPU is user and system time of all nodes' processes together, without the \
         broker's, from /proc. Everything goes over loopback, and nodes, brokers and the load \
         generator share the machine: {machine}. More nodes therefore bring no more power here: \
         what the figures show is what it costs that nodes belong together.\n\n\
         - Connect, subscribe, close: {cycles} cycles, {many} at a time, spread over the nodes. \
         Occupied: 256 channels, each with a subscriber that stays on every node. Fresh: a channel \
         of its own for every cycle, so that peers have to know of it first, in one packet with \
         whatever else they have to know. Few at a time: {few}, and so fewer of them in a packet. Messages per \
         subscribe: what the nodes hand to the broker (their own counters), less what they do when \
         idle, as measured for a second before.\n\
         - Latency: {rate} events per second of 128 bytes on a fixed schedule, published on one \
         node and received on another, counted from the scheduled time. Allowed on the mesh are \
         1.5 times what one node takes and 0.3 ms, over Redis 2 times and 0.5 ms.\n\
         - Private channels: {channels} with one subscriber each, spread over the nodes, which have \
         one thread each, since four with one for each core would only be in each other's way here; \
         {per_node} connections to each node publish events of 128 bytes to random channels, one \
         after the other on each, so that nodes have as much to do each, however many they are. \
         CPU per event is that of all nodes together. Few in flight: {sparse} connections to each node, \
         which has to wait for them at times, and for a peer it has hardly ever more than one event at \
         once. From 2 to 4 nodes the share of events whose \
         subscriber is on another node grows from 1/2 to 3/4 by itself, and with it the CPU per \
         event. 3/4 elsewhere: that share is 3/4 with 2 nodes, too. None elsewhere: nodes that \
         have nothing to tell each other, which shows what it costs by itself that as many \
         processes share the cores; with that taken out, what is left is how the price of \
         crossing grows with the nodes. Crossings: \
         bytes handed to the broker per byte of event data, with events of 8,000 bytes of which \
         3/4 are for a subscriber on another node than the publisher's; 1 if each of them goes to \
         the one node that wants it and to no other, 4 if every event went to all nodes.\n\
         - One channel: {subscribers} subscribers spread over the nodes, {publishers} events of 128 \
         bytes in flight; an event is in flight until all subscribers have it.\n\n",
        rounds = options.comparison.rounds,
        machine = machine::description(),
        cycles = readable(size.cycles as f64),
        many = size.at_a_time,
        few = FEW,
        rate = readable(size.rate),
        channels = readable(size.channels as f64),
        publishers = size.publishers,
        per_node = size.publishers_per_node,
        sparse = FEW_PUBLISHERS,
        subscribers = readable(size.subscribers as f64),
    )
}

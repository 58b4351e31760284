//! `load`: a load generator for servers that speak the Pusher Channels protocol, and the
//! reference server that their figures are compared with.
//!
//! One thread and one event loop, so that it takes little from a server on the same machine; it
//! counts frames by their headers and parses no JSON. It knows a server only from outside: its
//! sockets and its /proc. It must know nothing of how any server works inside.

mod client;
mod cluster;
mod compare;
mod comparison;
mod floor;
mod machine;
mod meter;
mod net;
mod progress;
mod report;
mod server;
mod sign;
mod workload;

use anyhow::Result;
use clap::{Parser, Subcommand};
use workload::channels::Channels;
use workload::churn::Churn;
use workload::fanout::Fanout;
use workload::idle::Idle;
use workload::publish::Publish;

/// Load generator for servers that speak the Pusher Channels protocol
#[derive(Parser)]
#[command(name = "load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The reference server: as little work per delivery as one epoll loop can do
    Floor(floor::Options),
    /// Events from several publishers to many subscribers
    Fanout(workload::Options<Fanout>),
    /// HTTP publishes to one subscriber
    Publish(workload::Options<Publish>),
    /// Connect, subscribe, close, over and over
    Churn(workload::Options<Churn>),
    /// Many connections that do nothing
    Idle(workload::Options<Idle>),
    /// Very many channels with one subscriber each
    Channels(workload::Options<Channels>),
    /// A server against the floor, in every scenario, with a page and a plot
    Compare(compare::Options),
    /// Several nodes over each adapter against one node, with a page
    Cluster(cluster::Options),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Floor(options) => floor::run(&options),
        Command::Fanout(options) => options.run(),
        Command::Publish(options) => options.run(),
        Command::Churn(options) => options.run(),
        Command::Idle(options) => options.run(),
        Command::Channels(options) => options.run(),
        Command::Compare(options) => compare::run(&options),
        Command::Cluster(options) => cluster::run(&options),
    }
}

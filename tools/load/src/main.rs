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
use workload::channels::ChannelChoice;
use workload::churn::Churn;
use workload::fanout::Fanout;
use workload::idle::Idle;
use workload::publish::Publish;

/// Load generator for servers that speak the Pusher Channels protocol
#[derive(Parser)]
#[command(name = "load")]
struct LoadCli {
    #[command(subcommand)]
    command: LoadCommand,
}

#[derive(Subcommand)]
enum LoadCommand {
    /// The reference server: as little work per delivery as one epoll loop can do
    Floor(floor::FloorOptions),
    /// Events from several publishers to many subscribers
    Fanout(workload::WorkloadOptions<Fanout>),
    /// HTTP publishes to one subscriber
    Publish(workload::WorkloadOptions<Publish>),
    /// Connect, subscribe, close, over and over
    Churn(workload::WorkloadOptions<Churn>),
    /// Many connections that do nothing
    Idle(workload::WorkloadOptions<Idle>),
    /// Very many channels with one subscriber each
    Channels(workload::WorkloadOptions<ChannelChoice>),
    /// A server against the floor, in every scenario, with a page and a plot
    Compare(compare::CompareOptions),
    /// Several nodes over each adapter against one node, with a page
    Cluster(cluster::ClusterOptions),
}

fn main() -> Result<()> {
    match LoadCli::parse().command {
        LoadCommand::Floor(options) => floor::run(&options),
        LoadCommand::Fanout(options) => options.run(),
        LoadCommand::Publish(options) => options.run(),
        LoadCommand::Churn(options) => options.run(),
        LoadCommand::Idle(options) => options.run(),
        LoadCommand::Channels(options) => options.run(),
        LoadCommand::Compare(options) => compare::run(&options),
        LoadCommand::Cluster(options) => cluster::run(&options),
    }
}

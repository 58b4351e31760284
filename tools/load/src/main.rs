//! `load`: a load generator for servers that speak the Pusher Channels protocol, and the
//! reference server that their figures are compared with.
//!
//! One thread and one event loop, so that it takes little from a server on the same machine; it
//! counts frames by their headers and parses no JSON. It knows a server only from outside: its
//! sockets and its /proc. It must know nothing of how any server works inside.

mod alarm;
mod cluster;
mod compare;
mod floor;
mod frames;
mod http;
mod lane;
mod limit;
mod marker;
mod meter;
mod process;
mod reactor;
mod report;
mod request;
mod rounds;
mod scenario;
mod scrape;
mod sign;
mod socket;
mod subscribers;
mod tables;
mod target;

use anyhow::Result;
use clap::{Parser, Subcommand};
use process::Server;
use report::Report;
use scenario::{channels, churn, fanout, idle, publish};
use target::Target;

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
    Fanout(fanout::Options),
    /// HTTP publishes to one subscriber
    Publish(publish::Options),
    /// Connect, subscribe, close, over and over
    Churn(churn::Options),
    /// Many connections that do nothing
    Idle(idle::Options),
    /// Very many channels with one subscriber each
    Channels(channels::Options),
    /// A server against the floor, in every scenario, with a page and a plot
    Compare(compare::Options),
    /// Several nodes over each adapter against one node, with a page
    Cluster(cluster::Options),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Floor(options) => floor::run(&options),
        Command::Fanout(options) => {
            report(&options.target, |target, server| fanout::run(target, server, &options.shape))
        }
        Command::Publish(options) => {
            report(&options.target, |target, server| publish::run(target, server, &options.shape))
        }
        Command::Churn(options) => {
            report(&options.target, |target, server| churn::run(target, server, &options.shape))
        }
        Command::Idle(options) => {
            report(&options.target, |target, server| idle::run(target, server, &options.shape))
        }
        Command::Channels(options) => {
            report(&options.target, |target, server| channels::run(target, server, &options.shape))
        }
        Command::Compare(options) => compare::run(&options),
        Command::Cluster(options) => cluster::run(&options),
    }
}

fn report(
    options: &target::Options,
    run: impl FnOnce(&Target, &Server) -> Result<Report>,
) -> Result<()> {
    let (target, server) = options.prepare()?;
    run(&target, &server)?.print(options.json);
    Ok(())
}

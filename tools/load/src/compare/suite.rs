//! One measurement of the suite: which process is started and which scenario is run on it.

use super::Options;
use super::results::{Contender, Scenario};
use crate::process::Server;
use crate::report::Report;
use crate::scenario::{channels, churn, fanout, idle, publish};
use crate::target::{self, Target, free_port, shell};
use anyhow::Result;
use std::process::Command;

/// How much each scenario does.
#[derive(clap::Args, Clone)]
pub(crate) struct Size {
    /// Seconds that are measured in each run of fanout, publish and channels
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// Subscribers in fanout
    #[arg(long, default_value_t = 1000)]
    pub(crate) subscribers: usize,
    /// Publishers in fanout, connections in publish
    #[arg(long, default_value_t = 8)]
    pub(crate) publishers: usize,
    /// Events in flight in fanout, over all publishers
    #[arg(long, default_value_t = 8)]
    pub(crate) in_flight: usize,
    /// Events per second in the open loop
    #[arg(long, default_value_t = 20.0)]
    pub(crate) rate: f64,
    /// Cycles in churn
    #[arg(long, default_value_t = 20_000)]
    pub(crate) cycles: usize,
    /// Connections in idle
    #[arg(long, default_value_t = 15_000)]
    pub(crate) idle_connections: usize,
    /// Seconds in idle
    #[arg(long, default_value_t = 20.0)]
    pub(crate) idle_seconds: f64,
    /// Channels in channels
    #[arg(long, default_value_t = 100_000)]
    pub(crate) channels: usize,
    /// Connections that hold them
    #[arg(long, default_value_t = 1000)]
    pub(crate) channel_connections: usize,
    /// Starts per round
    #[arg(long, default_value_t = 5)]
    pub(crate) starts: usize,
    /// App id
    #[arg(long, default_value = "app-id")]
    pub(crate) app_id: String,
    /// App key
    #[arg(long, default_value = "app-key")]
    pub(crate) app_key: String,
    /// App secret
    #[arg(long, default_value = "app-secret")]
    pub(crate) app_secret: String,
}

/// Starts `contender`, runs `scenario` on it, ends it.
pub(crate) fn measure(
    options: &Options,
    scenario: Scenario,
    contender: Contender,
) -> Result<Report> {
    let size = &options.size;
    let (target, server) = start(options, contender)?;
    let (seconds, warmup, publishers) =
        (size.seconds, (size.seconds / 4.0).min(1.0), size.publishers);
    let fan_out = |rate| fanout::Shape {
        subscribers: size.subscribers,
        publishers,
        in_flight: size.in_flight,
        no_pipelining: false,
        rate,
        payload: 128,
        seconds,
        warmup,
    };
    match scenario {
        Scenario::Fanout => fanout::run(&target, &server, &fan_out(None)),
        Scenario::Steady => fanout::run(&target, &server, &fan_out(Some(size.rate))),
        Scenario::Publish => {
            let shape = publish::Shape { connections: publishers, seconds, warmup };
            publish::run(&target, &server, &shape)
        }
        Scenario::Churn => {
            let shape = churn::Shape {
                concurrency: 32,
                cycles: size.cycles,
                seconds: None,
                warmup_cycles: size.cycles / 10,
                publish: false,
                fresh: false,
                occupied: false,
                abrupt: false,
            };
            churn::run(&target, &server, &shape)
        }
        Scenario::Idle => {
            let shape = idle::Shape {
                connections: size.idle_connections,
                channels: 100,
                seconds: size.idle_seconds,
                ping_every: 0.0,
            };
            idle::run(&target, &server, &shape)
        }
        Scenario::Channels => {
            let shape = channels::Shape {
                channels: size.channels,
                connections: size.channel_connections,
                publishers,
                private: false,
                payload: 128,
                elsewhere: None,
                seconds,
                warmup,
            };
            channels::run(&target, &server, &shape)
        }
        Scenario::Start => starts(options, contender, server),
    }
}

/// `first` and as many more starts as asked for, one after the other.
fn starts(options: &Options, contender: Contender, first: Server) -> Result<Report> {
    let millis_of = |server: Server| server.ready_after.as_secs_f64() * 1e3;
    let mut millis = vec![millis_of(first)];
    for _ in 1..options.size.starts {
        millis.push(millis_of(start(options, contender)?.1));
    }
    millis.sort_by(f64::total_cmp);
    let mut report = Report::new("start");
    report.count("starts", millis.len());
    report.figure("ready_ms", millis[millis.len() / 2], "ms");
    report.figure("ready_max_ms", millis[millis.len() - 1], "ms");
    Ok(report)
}

fn start(options: &Options, contender: Contender) -> Result<(Target, Server)> {
    let port = free_port()?;
    let command = match contender {
        Contender::Server => shell(&options.server),
        Contender::Floor => floor(port, &[])?,
        Contender::Coalescing => floor(port, &["--coalesce"])?,
    };
    let size = &options.size;
    let reach = target::Options {
        urls: vec![format!("127.0.0.1:{port}")],
        app_id: size.app_id.clone(),
        app_key: size.app_key.clone(),
        app_secret: size.app_secret.clone(),
        pids: Vec::new(),
        spawn: None,
        json: false,
    };
    Ok((reach.target(&reach.urls)?, Server::start(command, port)?))
}

fn floor(port: u16, options: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["floor", "--port", &port.to_string()]).args(options);
    Ok(command)
}

//! Guards what operations cost, by a number that noise cannot touch: instructions of user code, as
//! callgrind counts them.
//!
//!     cargo run -p guard                 counts, and fails if an operation costs 3 % more than recorded
//!     cargo run -p guard -- --record     counts, and records that
//!     cargo run -p guard -- why NAME     which functions the difference is in
//!
//! There is one mechanism for everything: a process runs under callgrind, is made to do one operation
//! a few hundred times, one after the other, and callgrind's counters are dumped before and after.
//! Functions of `protocol` and `websocket` are called by a small program of this crate (`bin/pure`);
//! everything else is done to the real server from outside, through its sockets, so that it can be
//! measured before and after its inside is rebuilt. A library for benchmarks under callgrind could
//! only do the first half, and would bring a runner that has to be installed in a matching version.
//!
//! What is counted depends on the compiler, on the C library and on which vector instructions the CPU
//! has. The first two are noted in the record. The third is fixed by valgrind, which shows programs
//! the same CPU everywhere (AVX2, neither AVX-512 nor SHA), as long as the real one has AVX2.

mod between_nodes;
mod binaries;
mod callgrind;
mod client;
mod counts;
mod functions;
mod node;
mod on_one_node;
mod pure_functions;
mod tools;
mod why;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use binaries::Binaries;
use callgrind::Count;

/// Counts the instructions of operations and compares them with the record.
#[derive(Parser)]
struct GuardCli {
    /// Record the counts instead of comparing them.
    #[arg(long)]
    record: bool,
    #[command(subcommand)]
    command: Option<GuardCommand>,
}

#[derive(Subcommand)]
enum GuardCommand {
    /// Show which functions cost more or less than recorded, as of the last run.
    Why {
        /// The operation's name.
        operation: String,
    },
}

fn main() -> ExitCode {
    let cli = GuardCli::parse();
    let done = match cli.command {
        Some(GuardCommand::Why { operation }) => why::print(&operation).map(|()| true),
        None => count().and_then(|counts| match cli.record {
            true => counts::record(&counts).map(|()| true),
            false => counts::check(&counts),
        }),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("guard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn count() -> Result<Vec<Count>> {
    tools::require()?;
    let binaries = Binaries::build()?;
    callgrind::clear_profiles()?;
    let mut counts = pure_functions::count(&binaries)?;
    counts.extend(on_one_node::count(&binaries)?);
    counts.extend(between_nodes::count(&binaries)?);
    Ok(counts)
}

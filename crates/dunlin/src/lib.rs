//! The command line: `start` and `check-config`. It only wires: what a configuration may be is
//! `config`'s, what a server does is `server`'s.

mod check;
mod cli;
mod exit;
mod logging;
mod output;
mod serve;
mod start;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Runs the command that the arguments name. Exit codes: 0 done, 1 the server failed, 2 wrong
/// arguments, 78 the configuration cannot be used.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to complain.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match cli.command {
        Command::Start(args) => start::run(args.sources()),
        Command::CheckConfig(args) => check::run(&args.sources()),
    }
}

//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use config::Sources;

/// A realtime server that speaks the Pusher Channels protocol.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server
    Start(ConfigArgs),
    /// Print the effective configuration and where each value comes from, then exit
    CheckConfig(ConfigArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    /// JSON file with options
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Where this process's configuration comes from.
    pub(crate) fn sources(self) -> Sources {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Sources {
            config_file: self.config,
            env: std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect(),
            dotenv_dir: PathBuf::from("."),
        }
    }
}

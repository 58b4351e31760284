//! How long workloads that publish go on.

use anyhow::{Result, bail};
use std::time::Duration;

/// What is measured, and what comes before it.
#[derive(clap::Args, Clone, Copy)]
#[group(skip)]
pub(crate) struct Timing {
    /// Seconds that are measured (channels: with few channels, and again with all of them)
    #[arg(long = "seconds", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) measured: Duration,
    /// Seconds before them that are not
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub(crate) warmup: Duration,
}

/// The duration of so many seconds, at most a day.
pub(crate) fn seconds(text: &str) -> Result<Duration> {
    let value: f64 = text.parse()?;
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if value <= 86_400.0 => Ok(duration),
        _ => bail!("{value} is not a number of seconds between 0 and 86400"),
    }
}

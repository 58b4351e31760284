//! Log lines on standard error: text or JSON, as `log.format` says. `RUST_LOG` overrides the
//! level that `debug` asks for.

use std::io::{self, IsTerminal};

use config::{Config, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging; does nothing if it has been started.
pub(crate) fn init(config: &Config) {
    // The libraries' own lines would bury the server's, which says what matters of them. The NATS
    // client has one for every attempt to connect.
    let level = match config.debug {
        true => "debug,hyper=info,hyper_util=info,rustls=info,async_nats=warn,redis=info",
        false => "info,async_nats=off",
    };
    let (filter, broken) = match std::env::var("RUST_LOG").map(|text| EnvFilter::try_new(&text)) {
        Ok(Ok(filter)) => (filter, None),
        Ok(Err(error)) => (EnvFilter::new(level), Some(error)),
        Err(_) => (EnvFilter::new(level), None),
    };
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // Its complaint about a closed standard error would panic on the same.
        .log_internal_errors(false)
        .with_ansi(colours);
    let _ = match config.log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Some(error) = broken {
        tracing::warn!(%error, "RUST_LOG is not understood and is left alone");
    }
}

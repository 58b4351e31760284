//! The limit of open files, of which a load generator needs one for each connection.

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit};

/// Raises this process's soft limit of open files to `wanted` plus some, as far as the hard
/// limit allows. Errors: `wanted` does not fit, with what the limit is.
pub(crate) fn raise_limit(wanted: usize) -> Result<()> {
    let wanted = wanted as u64 + 64;
    let limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    // Only a privileged process may raise the hard limit too.
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum.max(Some(wanted)) };
    let within = Rlimit { current: Some(wanted), maximum: limit.maximum };
    rustix::process::setrlimit(Resource::Nofile, within)
        .or_else(|_| rustix::process::setrlimit(Resource::Nofile, raised))
        .with_context(|| {
            let hard = limit.maximum.unwrap_or(0);
            format!("{wanted} open files are needed, the hard limit is {hard}: raise ulimit -Hn")
        })
}

//! What everybody needs when something fails: to say why ([`error_report`]), not to say it too often
//! ([`LogThrottle`]), and not to try again too soon ([`Backoff`]). It knows nothing of what failed.

mod backoff;
mod error_chain;
mod log_throttle;

pub use backoff::Backoff;
pub use error_chain::{error_chain, error_report};
pub use log_throttle::{LogThrottle, LogThrottles};

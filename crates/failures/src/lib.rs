//! What everybody needs when something fails: to say why ([`causes`]), not to say it too often
//! ([`Rarely`]), and not to try again too soon ([`Backoff`]). It knows nothing of what failed.

mod backoff;
mod causes;
mod rarely;

pub use backoff::{Backoff, jittered};
pub use causes::{causes, chain};
pub use rarely::Rarely;

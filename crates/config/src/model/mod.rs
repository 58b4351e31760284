//! The types of options that are more than a number, a text or a list of them. Knows no option.

mod choice;
mod origin;
mod service;
mod webhook;

pub(crate) use choice::Choice;
pub use choice::{
    AdapterDriver, AppManagerDriver, CacheDriver, LogFormat, MetricsDriver, Mode, QueueDriver,
    RateLimiterDriver, SqlSslMode,
};
pub use origin::OriginPattern;
pub use service::{ClientOptions, NodeAddress};
pub use webhook::{Webhook, WebhookTarget};

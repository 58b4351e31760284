//! Webhooks, from what is decided on a channel to what a backend is told. It must not know what a
//! request to a backend looks like, nor when it is tried again; that is the `webhooks` crate's.
//!
//! ```text
//!   channels, session  --Note-->  outside::Notes   under the channel's lock, in the order of decisions
//!                                         |
//!                                       task       on the background runtime: may this node say it?
//!                                         |            (`channels::announcer`)
//!                                      delivery    filters, batches, and the queue or the sender
//! ```
//!
//! Shards never wait for any of it: what does not fit into the notes is counted and lost.

mod job_maker;
mod metrics;
mod producer;
mod task;
mod unknown;
mod work;

pub(crate) use metrics::WebhookMetrics;
pub(crate) use producer::JobProducer;
use task::WebhookTask;
pub use work::OpenError;
pub(crate) use work::{Opened, Work};

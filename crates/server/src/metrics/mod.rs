//! What the node says about itself. Gauges are computed from what is there when somebody looks;
//! counters are counted where things happen. It must not decide anything.

mod cache;
mod cluster;
mod collect;
mod exposition;
mod lookups;
mod page;
mod process;
mod webhooks;

pub(crate) use page::serve;

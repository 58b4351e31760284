//! The apps of this node: what their configuration says now, what they have used, and how to find
//! them. It must not know which store they are in, nor who is connected.
//!
//! Either all apps are known, or those that somebody asked for are: then the `table` is what is
//! known, `freshness` says how long that holds, and who asks for more waits (`lookups`, `pending`)
//! until the `loader`, on the background runtime, has asked the store. `unknown` is what the store
//! does not have.

mod app;
mod counters;
mod finding;
mod freshness;
mod loader;
mod lookups;
mod pending;
mod table;
#[cfg(test)]
mod tests;
mod unknown;
mod withdrawn;

pub(crate) use app::{App, AppSettings};
pub(crate) use counters::AppCounters;
pub(crate) use finding::{Apps, Asked, PendingApp, Unavailable};
pub(crate) use loader::look_up_in;
pub(crate) use lookups::LookupNumbers;
pub(crate) use pending::By;
pub(crate) use table::Gone;

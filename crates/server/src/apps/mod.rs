//! The apps of this node: what their configuration says now, what they have used, and how to find
//! them. It must not know which store they are in, nor who is connected.
//!
//! Either all apps are known, or those that somebody asked for are: then the `table` is what is
//! known, `freshness` says how long that holds, and who asks for more waits (`lookups`, `desk`)
//! until the `asker`, on the background runtime, has asked the store. `unknown` is what the store
//! does not have.

mod app;
mod asker;
mod counters;
mod desk;
mod finding;
mod freshness;
mod lookups;
mod table;
#[cfg(test)]
mod tests;
mod unknown;
mod withdrawn;

pub(crate) use app::{App, Settings};
pub(crate) use asker::look_up_in;
pub(crate) use counters::Counters;
pub(crate) use desk::By;
pub(crate) use finding::{Apps, Asked, PendingApp, Unavailable};
pub(crate) use lookups::LookupNumbers;
pub(crate) use table::Gone;

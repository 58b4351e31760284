//! One node and what its peers say, step by step: cases that random schedules meet rarely.

#![allow(clippy::unwrap_used, reason = "what fails fails the test")]

mod answers;
mod counts;
mod hearsay;
mod joins;
mod node;
mod remote_events;
mod snapshot;

//! A deployment as it happens: three nodes are restarted one after another under many clients, and
//! the backend that is told by webhooks hears nothing of it.
//!
//! In a binary of its own, so that nothing else runs meanwhile.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod crowd;
mod deployment;
mod histogram;

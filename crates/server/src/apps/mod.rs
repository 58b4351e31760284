//! The apps of this node: what their configuration says now, what they have used, and how to find
//! them. It must not know where their configuration comes from.

mod app;
mod counters;
mod table;

pub(crate) use app::{App, PendingSeat, Seat, SeatWish, Settings};
pub(crate) use counters::Counters;
pub(crate) use table::{Apps, Gone};

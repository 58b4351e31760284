//! Budgets per second. What a budget is for, and what happens when it is spent, is decided where it
//! is asked.

mod budget;
mod gcra;

pub use budget::{Budget, Spending};
pub use gcra::{Gcra, SharedGcra};

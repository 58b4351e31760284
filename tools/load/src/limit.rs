//! Where a bar is. It must not know what is held to it.

use Limit::{AtLeast, AtMost};

/// Where the bar is.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// Lower is better.
    AtMost(f64),
    /// Higher is better.
    AtLeast(f64),
}

impl Limit {
    /// True if `value` is on the right side.
    pub(crate) fn is_met_by(self, value: f64) -> bool {
        match self {
            AtMost(limit) => value <= limit,
            AtLeast(limit) => value >= limit,
        }
    }

    /// The figure at the bar.
    pub(crate) fn value(self) -> f64 {
        match self {
            AtMost(value) | AtLeast(value) => value,
        }
    }

    /// `≤ 0.32` or `≥ 3`.
    pub(crate) fn text(self) -> String {
        match self {
            AtMost(value) => format!("≤ {value}"),
            AtLeast(value) => format!("≥ {value}"),
        }
    }
}

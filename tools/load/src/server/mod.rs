//! The server under test from outside: its processes and what they use, its addresses, its
//! metrics. It must not know how a server works inside, nor what is measured.

pub(crate) mod metrics;
pub(crate) mod options;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod procfs;
pub(crate) mod target;

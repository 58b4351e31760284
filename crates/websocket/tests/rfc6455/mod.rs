//! The cases, by what they are about.

mod close;
mod fragmentation;
mod framing;
mod limits;
mod opcodes;
mod pings;
mod reserved_bits;
mod utf8;

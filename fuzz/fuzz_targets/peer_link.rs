//! A node and whatever comes in the name of its peer: promises are kept, nothing piles up.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cluster::fuzzing::link(data));

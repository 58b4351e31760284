//! Handshakes that are read without hyper: hyper takes them in the same way.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| server::fuzzing::handshake_head(data));

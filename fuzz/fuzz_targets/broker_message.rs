//! Messages of a broker, and packets that come in parts.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cluster::fuzzing::broker_messages(data));

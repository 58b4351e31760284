//! Entries of peers' streams: what is read is written and read again as the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| channels::replication::fuzzing::message(data));

//! Replies of Redis, however the network chops them; the redis crate reads the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redis_client::fuzzing::replies(data));

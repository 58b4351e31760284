//! Headers of the PROXY protocol, however the network chops them.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| server::fuzzing::proxy_header(data));

//! Hellos over UDP: nobody without the secret is heard.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cluster::fuzzing::mesh_hello(data));

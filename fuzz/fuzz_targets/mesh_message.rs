//! Messages over a connection of the mesh, however the network chops them.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cluster::fuzzing::mesh_messages(data));

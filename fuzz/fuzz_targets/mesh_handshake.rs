//! Handshakes of the mesh: nobody without the secret is taken for a peer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cluster::fuzzing::mesh_handshake(data));

//! The fuzz targets as property tests, with noise and with valid inputs that were changed.

use bytes::Bytes;
use testkit::{CountingAllocator, HostileTarget};

use super::*;
use crate::{Flags, Header, Incarnation, MAX_PACKET, Packet};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What targets may allocate besides a few times their input, in bytes.
const AT_MOST: usize = 64 << 10;

fn withstands(run: fn(&[u8]), samples: &[Vec<u8>], at_most: usize) {
    let target = HostileTarget { source_file: file!(), run, samples, at_most, per_byte: 64 };
    target.withstands_strangers();
}

fn packet_of(entries: &[&'static [u8]]) -> Packet {
    let header = Header {
        from: Incarnation(0x0102_0304_0506_0708),
        to: Incarnation(2),
        flags: Flags::READY,
        since: 3,
        epoch: 4,
        first: 5,
        ack_epoch: 6,
        ack: 7,
    };
    Packet { header, entries: entries.iter().copied().map(Bytes::from_static).collect() }
}

fn packets() -> Vec<Vec<u8>> {
    let empty: [&[u8]; 40] = [b""; 40];
    let runs: [&[&'static [u8]]; 3] = [&[], &[b"one", b"", b"three"], &empty];
    runs.map(|entries| packet_of(entries).to_bytes().to_vec()).to_vec()
}

/// What all nodes have to agree on, as it is said at the end of a hello or greeting.
const AGREEMENT: [u8; 4] = 1u32.to_be_bytes();

/// Something behind its length in two bytes.
fn sized(wire: &[u8]) -> Vec<u8> {
    [&(wire.len() as u16).to_be_bytes()[..], wire].concat()
}

/// What a node says of itself behind the realm: incarnation, and what a hello or a greeting adds.
fn introduction(between: &[u8]) -> Vec<u8> {
    [&7u64.to_be_bytes()[..], between, b"\x05seven"].concat()
}

#[test]
fn packets_of_strangers() {
    withstands(packet, &packets(), AT_MOST);
}

#[test]
fn links_to_whoever_claims_to_be_a_peer() {
    // Everybody meets and is heard; then entries go both ways, late, changed, invented, again.
    let met = [3, 0, 0, 0, 5, 0, 0, 0, 4, 1, 0, 0, 3, 0, 0, 0, 5, 1, 0, 0];
    let tell = [1, 2, 9, 0, 1, 1, 200, 0, 2, 1, 99, 0, 3, 0, 0, 0, 4, 1, 0, 0];
    let come = [5, 0, 0, 0, 5, 1, 0, 0, 6, 2, 40, 3, 6, 1, 30, 1, 5, 2, 0, 0, 5, 2, 0, 0];
    let invent = [7, 0, 1, 0, 7, 1, 2, 3, 7, 2, 255, 2, 7, 3, 1, 1, 7, 4, 1, 0, 7, 5, 8, 1];
    let wait = [8, 60, 0, 0, 3, 0, 0, 0, 8, 255, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0];
    let all = [&met[..], &tell, &come, &wait, &tell, &invent, &tell, &come].concat();
    withstands(link, &[[&met[..], &tell, &come].concat(), all], 1 << 20);
}

#[test]
fn messages_of_a_broker() {
    let older = [&[1, 1, 1][..], &7u64.to_be_bytes(), &3u64.to_be_bytes(), b"\x05seven"].concat();
    let hello = [&older[..], &AGREEMENT].concat();
    let echo = [&[4][..], &7u64.to_be_bytes()].concat();
    let part = |index: u8, bytes: &[u8]| {
        let numbers = [&7u64.to_be_bytes()[..], &1u64.to_be_bytes(), &[0, 0, 0, index, 0, 0, 0, 3]];
        sized(&[&[3][..], &numbers.concat(), bytes].concat())
    };
    let whole = [&[2][..], &packets()[1]].concat();
    let parts = [part(0, b"one"), part(1, b"two"), part(1, b"longer"), part(2, b"three")].concat();
    let samples = [sized(&older), sized(&hello), [sized(&echo), sized(&whole)].concat(), parts];
    withstands(broker_messages, &samples, AT_MOST);
}

#[test]
fn hellos_of_strangers() {
    let hello = introduction(&11002u16.to_be_bytes());
    let whole = [b"dnlh\x01\x01the realm of all", &hello[..]].concat();
    withstands(mesh_hello, &[hello, whole], AT_MOST);
}

#[test]
fn handshakes_with_strangers() {
    let told = [&[0, 0, 0, 0, 0, 0, 0, 5, 0x2a, 0xfa, 1][..], &[9; 32]].concat();
    let older = introduction(&told);
    let says = [&older[..], &AGREEMENT].concat();
    let length = (16 + says.len() as u16).to_be_bytes();
    let greeting = [b"dnlt\x01", &length[..], b"the realm of all", &says, &[7; 32]].concat();
    withstands(mesh_handshake, &[older, says, greeting], AT_MOST);
}

#[test]
fn messages_over_a_mesh() {
    let message =
        |kind: u8, body: &[u8]| [&[kind][..], &(body.len() as u32).to_be_bytes(), body].concat();
    let v4 = [&7u64.to_be_bytes()[..], &[4, 127, 0, 0, 1, 1, 2]].concat();
    let v6 = [&8u64.to_be_bytes()[..], &[16], &[9; 16], &[1, 2]].concat();
    let addresses = message(2, &[v4, v6].concat());
    let packets: Vec<u8> = packets().iter().flat_map(|packet| message(1, packet)).collect();
    let samples = [[&addresses[..], &message(9, b"later")].concat(), packets];
    // Room for a message is made as soon as its length is known.
    withstands(mesh_messages, &samples, 2 * MAX_PACKET);
}

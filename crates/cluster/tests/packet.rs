//! The wire: what is written is read again, and whatever else is read is refused, never a panic.

use bytes::{BufMut, Bytes, BytesMut};
use cluster::{Flags, Header, Incarnation, MAX_PACKET, Packet, PacketError, VERSION};
use proptest::collection::vec;
use proptest::prelude::*;

/// Where things are in the header, see the table in `link/packet.rs`.
const FLAGS: usize = 19;
const COUNT: usize = 61;
const HEADER: usize = 65;

fn packet() -> Packet {
    let header = Header {
        from: Incarnation(0x0102_0304_0506_0708),
        to: Incarnation(2),
        flags: Flags::READY.with(Flags::RESEND, true),
        since: 3,
        epoch: 4,
        first: 5,
        ack_epoch: 6,
        ack: 7,
    };
    Packet { header, entries: vec!["one".into(), Bytes::new(), "three".into()] }
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let header = (1..u64::MAX, 1..u64::MAX, any::<u16>(), 1..1000u64, 0..1000u64, 1..1u64 << 60);
    let acknowledged = (any::<u64>(), any::<u64>());
    let entries = vec(vec(any::<u8>(), 0..40).prop_map(Bytes::from), 0..20);
    (header, acknowledged, entries).prop_map(|(header, (ack_epoch, ack), entries)| {
        let (from, to, flags, since, more, first) = header;
        let (from, to, flags) = (Incarnation(from), Incarnation(to), Flags(flags));
        let epoch = since + more;
        Packet { header: Header { from, to, flags, since, epoch, first, ack_epoch, ack }, entries }
    })
}

fn changed(at: usize, bytes: &[u8]) -> Result<Packet, PacketError> {
    let mut wire = packet().to_bytes().to_vec();
    wire[at..at + bytes.len()].copy_from_slice(bytes);
    Packet::decode(wire.into())
}

#[test]
fn the_layout_is_this() {
    let wire = packet().to_bytes();
    let mut expected = vec![VERSION, 0, HEADER as u8];
    expected.extend([1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0b0110]);
    for number in 3..=7 {
        expected.extend([0, 0, 0, 0, 0, 0, 0, number]);
    }
    expected.extend([0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 5]);
    expected.extend(b"onethree");
    assert_eq!(wire, expected);
    assert_eq!(wire.len(), packet().encoded_len());
}

#[test]
fn entries_are_not_copied() {
    let wire = packet().to_bytes();
    let read = Packet::decode(wire.clone()).unwrap();
    assert!(wire.as_ptr_range().contains(&read.entries[2].as_ptr()));
}

#[test]
fn a_newer_version_may_add_to_the_header_and_to_the_flags() {
    let old = packet().to_bytes();
    let mut new = BytesMut::new();
    new.put_u8(2);
    new.put_u16(HEADER as u16 + 5);
    new.put_slice(&old[3..HEADER]);
    new.put_slice(b"extra");
    new.put_slice(&old[HEADER..]);
    new[FLAGS] |= 0x80;

    let read = Packet::decode(new.freeze()).unwrap();
    assert_eq!(read.entries, packet().entries);
    let known = packet().header.flags;
    assert!(read.header.flags.has(known) && !read.header.flags.has(Flags::GOODBYE));
    assert_eq!(Header { flags: known, ..read.header }, packet().header);
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(changed(0, &[0]), Err(PacketError::Version));
    assert_eq!(changed(1, &[0, 64]), Err(PacketError::HeaderLength(64)));
    assert_eq!(changed(1, &[1, 0]), Err(PacketError::Truncated { length: 85, needed: 268 }));
    assert_eq!(changed(3, &[0; 8]), Err(PacketError::Incarnation));
    assert_eq!(changed(11, &[0; 8]), Err(PacketError::Incarnation));
    assert_eq!(changed(28, &[0]), Err(PacketError::Epoch { epoch: 4, since: 0 }));
    assert_eq!(changed(28, &[5]), Err(PacketError::Epoch { epoch: 4, since: 5 }));
    assert_eq!(changed(44, &[0]), Err(PacketError::Sequence(0)));
    assert_eq!(changed(37, &[0xff; 8]), Err(PacketError::Sequence(u64::MAX)));
    assert_eq!(changed(COUNT, &[1, 0, 0, 0]), Err(PacketError::TooManyEntries(1 << 24)));
    assert_eq!(
        changed(COUNT, &[0, 0, 0, 9]),
        Err(PacketError::Truncated { length: 85, needed: 101 })
    );
    assert_eq!(changed(HEADER + 3, &[9]), Err(PacketError::Truncated { length: 85, needed: 86 }));
    assert_eq!(changed(HEADER + 3, &[2]), Err(PacketError::Trailing(1)));
    let long = Bytes::from(vec![0; MAX_PACKET + 1]);
    assert_eq!(Packet::decode(long), Err(PacketError::TooLong(MAX_PACKET + 1)));
}

proptest! {
    #[test]
    fn what_is_written_is_read(packet in any_packet()) {
        let wire = packet.to_bytes();
        prop_assert_eq!(wire.len(), packet.encoded_len());
        let mut head = BytesMut::new();
        packet.encode_head(&mut head);
        prop_assert_eq!([&head[..], &packet.entries.concat()].concat(), &wire[..]);
        prop_assert_eq!(Packet::decode(wire), Ok(packet));
    }

    #[test]
    fn every_beginning_is_too_short(packet in any_packet(), cut in any::<prop::sample::Index>()) {
        let wire = packet.to_bytes();
        let cut = cut.index(wire.len());
        let refused = Packet::decode(wire.slice(..cut));
        let truncated = matches!(refused, Err(PacketError::Truncated { length, .. }) if length == cut);
        prop_assert!(truncated, "{:?}", refused);
    }

    #[test]
    fn random_bytes_are_harmless(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Packet::decode(bytes.into());
    }

    #[test]
    fn changed_bytes_are_harmless(
        packet in any_packet(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut wire = packet.to_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        if let Ok(read) = Packet::decode(wire.into()) {
            let again = Packet::decode(read.to_bytes());
            prop_assert_eq!(again, Ok(read));
        }
    }
}

//! Packets of peers.

use bytes::Bytes;

use crate::Packet;

/// How long version 1 of the header is, in bytes; without what newer versions add, nothing in a
/// packet can be written in two ways.
const HEADER_LEN: [u8; 2] = [0, 65];

/// Reads `wire` as a packet. What was read is written and read again as the same packet, it is no
/// longer than what came, and its entries are not copied.
pub fn packet(wire: &[u8]) {
    let wire = Bytes::copy_from_slice(wire);
    let Ok(packet) = Packet::decode(wire.clone()) else { return };
    let (begin, end) = (wire.as_ptr().addr(), wire.as_ptr().addr() + wire.len());
    for entry in packet.entries.iter().filter(|entry| !entry.is_empty()) {
        let at = entry.as_ptr().addr();
        assert!(begin <= at && at + entry.len() <= end, "an entry that is not in the packet");
    }
    let written = packet.to_bytes();
    assert_eq!(written.len(), packet.encoded_len());
    assert!(written.len() <= wire.len(), "{} bytes of {}", written.len(), wire.len());
    if wire[1..3] == HEADER_LEN {
        assert_eq!(written[1..], wire[1..], "written in another way");
    }
    assert_eq!(Packet::decode(written), Ok(packet));
}

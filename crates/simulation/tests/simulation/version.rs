//! A later version of what nodes tell each other, as far as this one has to bear with it: during a
//! rolling upgrade both are in one cluster.

use bytes::{BufMut, Bytes, BytesMut};
use cluster::Packet;

/// What the later version says that this one has no word for.
pub(crate) const NEWS: &[u8] = &[200, 1, 2, 3];

/// Where in a packet its version is, the length of its header, and its flags.
const VERSION: usize = 0;
const HEADER_LEN: usize = 1;
const FLAGS: usize = 19;
/// What the later version adds to the header, and to each entry.
const MORE: &[u8] = b"later";

/// Whether the node at this place speaks the later version.
pub(crate) fn is_later(at: usize) -> bool {
    at % 2 == 1
}

/// A packet as a later version writes it: a longer header, a flag more, a field more in every entry.
pub(crate) fn later(packet: &Packet) -> Bytes {
    let longer = |entry: &Bytes| Bytes::from([entry, MORE].concat());
    let entries = packet.entries.iter().map(longer).collect();
    let wire = Packet { header: packet.header, entries }.to_bytes();
    let header = usize::from(u16::from_be_bytes([wire[HEADER_LEN], wire[HEADER_LEN + 1]]));
    let mut out = BytesMut::from(&wire[..header]);
    out[VERSION] += 1;
    let header = (header + MORE.len()) as u16;
    out[HEADER_LEN..HEADER_LEN + 2].copy_from_slice(&header.to_be_bytes());
    out[FLAGS] |= 0x40;
    out.put_slice(MORE);
    out.put_slice(&wire[usize::from(header) - MORE.len()..]);
    out.freeze()
}

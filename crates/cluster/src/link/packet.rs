//! The wire: one packet is a run of entries of one stream, and the acknowledgement of the opposite
//! stream. A TCP driver sends it as one length-prefixed message, a broker as one message.
//!
//! ```text
//!  bytes  1        2           8     8   2      8      8      8      8          8    4
//!         version  header_len  from  to  flags  since  epoch  first  ack_epoch  ack  count
//!         (what a newer version adds to the header, up to header_len)
//!         count x 4: the entries' lengths      the entries, one after the other
//! ```
//!
//! All numbers are big endian. `header_len` counts from the first byte, so that a reader skips what
//! it does not know. The lengths come first so that a writer needs one buffer of its own and passes
//! the entries on as they are.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Incarnation;

/// The version of the packets that this node sends.
pub const VERSION: u8 = 1;
/// The longest packet that is read, in bytes.
pub const MAX_PACKET: usize = 32 << 20;
/// How many entries of a packet are read: far more than are sent, and a bound on what a packet
/// of nothing but empty entries costs.
const MAX_ENTRIES: usize = 1 << 16;
/// The length of our header in bytes, without the entries' lengths.
const HEADER_LEN: usize = 65;

/// Wishes and states that a packet carries along. Unknown ones are kept and mean nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    /// Please acknowledge at once, somebody waits.
    pub const ACK_NOW: Flags = Flags(1);
    /// Please transmit everything after `ack` again, something is missing.
    pub const RESEND: Flags = Flags(1 << 1);
    /// The sender is ready to serve.
    pub const READY: Flags = Flags(1 << 2);
    /// The sender goes, this is its last packet.
    pub const GOODBYE: Flags = Flags(1 << 3);

    /// Whether all of `flags` are set.
    pub fn has(self, flags: Flags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Sets `flags` if `on`.
    pub fn with(self, flags: Flags, on: bool) -> Flags {
        if on { Flags(self.0 | flags.0) } else { self }
    }
}

/// What a packet says besides its entries. The rules are told [one level up](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who sent it.
    pub from: Incarnation,
    /// Whom it is for.
    pub to: Incarnation,
    /// Wishes and states.
    pub flags: Flags,
    /// The epoch of the first stream that the sender began since it last found the receiver.
    pub since: u64,
    /// The sender's stream that the entries are of.
    pub epoch: u64,
    /// The number of the first entry; of the next one to be transmitted if there is none.
    pub first: u64,
    /// The receiver's newest stream that the sender knows, 0 if none.
    pub ack_epoch: u64,
    /// The sender has every entry of that stream up to this number.
    pub ack: u64,
}

/// A run of entries of one stream, and the acknowledgement of the opposite stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Who, to whom, what about.
    pub header: Header,
    /// The entries, numbered from [`Header::first`] on.
    pub entries: Vec<Bytes>,
}

/// Bytes that are no packet, so that whoever sent them speaks another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Longer than [`MAX_PACKET`]. Holds the length in bytes.
    #[error("packet of {0} bytes, at most {MAX_PACKET} are allowed")]
    TooLong(usize),
    /// The end is missing.
    #[error("packet of {length} bytes, {needed} are needed at least")]
    Truncated {
        /// The packet's length in bytes.
        length: usize,
        /// How many bytes it must have by what its beginning says.
        needed: usize,
    },
    /// Bytes are left after the last entry. Holds how many.
    #[error("{0} bytes after the last entry")]
    Trailing(usize),
    /// There is no version 0.
    #[error("packet version 0, it must be at least {VERSION}")]
    Version,
    /// A header that is shorter than version 1 has it. Holds the length in bytes.
    #[error("header of {0} bytes, it must have at least {HEADER_LEN}")]
    HeaderLength(u16),
    /// Too many entries. Holds how many.
    #[error("packet of {0} entries, at most {MAX_ENTRIES} are allowed")]
    TooManyEntries(u32),
    /// A sender or receiver 0.
    #[error("incarnation 0, it must be at least 1")]
    Incarnation,
    /// A stream that cannot exist.
    #[error("epoch {epoch} since {since}, both must be at least 1 and in order")]
    Epoch {
        /// The stream's epoch.
        epoch: u64,
        /// The epoch of the first stream of this acquaintance.
        since: u64,
    },
    /// Entries whose numbers begin at 0 or do not end. Holds the first number.
    #[error("sequence number {0}, it must be at least 1 and leave room for the entries")]
    Sequence(u64),
}

impl Packet {
    /// How many bytes the whole packet has on the wire.
    pub fn encoded_len(&self) -> usize {
        self.head_len() + self.entries.iter().map(Bytes::len).sum::<usize>()
    }

    /// The packet up to its entries, which follow as they are; for vectored writes.
    pub fn encode_head(&self, out: &mut BytesMut) {
        let Header { from, to, flags, since, epoch, first, ack_epoch, ack } = self.header;
        out.reserve(self.head_len());
        out.put_u8(VERSION);
        out.put_u16(HEADER_LEN as u16);
        out.put_u64(from.0);
        out.put_u64(to.0);
        out.put_u16(flags.0);
        for number in [since, epoch, first, ack_epoch, ack] {
            out.put_u64(number);
        }
        out.put_u32(self.entries.len() as u32);
        for entry in &self.entries {
            out.put_u32(entry.len() as u32); // at most `MAX_ENTRY`
        }
    }

    /// The whole packet in one piece; for brokers.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(self.encoded_len());
        self.encode_head(&mut out);
        for entry in &self.entries {
            out.put_slice(entry);
        }
        out.freeze()
    }

    /// Reads a whole packet. The entries share its memory, nothing is copied.
    ///
    /// # Errors
    /// The bytes are not a packet, see [`PacketError`].
    pub fn decode(mut wire: Bytes) -> Result<Packet, PacketError> {
        let length = wire.len();
        let need = |needed| {
            if needed > length { Err(PacketError::Truncated { length, needed }) } else { Ok(()) }
        };
        if length > MAX_PACKET {
            return Err(PacketError::TooLong(length));
        }
        need(HEADER_LEN)?;
        if wire.get_u8() == 0 {
            return Err(PacketError::Version);
        }
        let header_len = wire.get_u16();
        if usize::from(header_len) < HEADER_LEN {
            return Err(PacketError::HeaderLength(header_len));
        }
        let header = Header {
            from: Incarnation(wire.get_u64()),
            to: Incarnation(wire.get_u64()),
            flags: Flags(wire.get_u16()),
            since: wire.get_u64(),
            epoch: wire.get_u64(),
            first: wire.get_u64(),
            ack_epoch: wire.get_u64(),
            ack: wire.get_u64(),
        };
        let count = wire.get_u32();
        header.check(count)?;

        let table = 4 * count as usize; // count is at most MAX_ENTRIES
        let mut needed = usize::from(header_len) + table;
        need(needed)?;
        wire.advance(usize::from(header_len) - HEADER_LEN);
        let mut lengths = wire.split_to(table);
        let mut entries = Vec::with_capacity(count as usize);
        while lengths.has_remaining() {
            let entry = lengths.get_u32() as usize;
            needed = needed.saturating_add(entry);
            need(needed)?;
            entries.push(wire.split_to(entry));
        }
        if wire.is_empty() {
            Ok(Packet { header, entries })
        } else {
            Err(PacketError::Trailing(wire.len()))
        }
    }

    /// How long [`encode_head`](Self::encode_head) makes it, in bytes.
    pub(crate) fn head_len(&self) -> usize {
        HEADER_LEN + 4 * self.entries.len()
    }
}

impl Header {
    fn check(&self, entries: u32) -> Result<(), PacketError> {
        let Header { from, to, since, epoch, first, .. } = *self;
        if entries as usize > MAX_ENTRIES {
            return Err(PacketError::TooManyEntries(entries));
        }
        if from.0 == 0 || to.0 == 0 {
            return Err(PacketError::Incarnation);
        }
        if since == 0 || since > epoch {
            return Err(PacketError::Epoch { epoch, since });
        }
        if first == 0 || first.checked_add(entries.into()).is_none() {
            return Err(PacketError::Sequence(first));
        }
        Ok(())
    }
}

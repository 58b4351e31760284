//! What nodes send each other over a broker.
//!
//! ```text
//!  bytes  1      ..
//!         kind   1 hello:  flags 1, version 1, incarnation 8, number 8, name_len 1, name,
//!                           agreement 4
//!                2 packet: see Packet
//!                3 part:   from 8, id 8, index 4, count 4, some bytes of a packet
//!                4 echo:   incarnation 8; to ourselves
//! ```
//!
//! Numbers are big endian. A hello that ends with the name has agreement 0; a newer version may
//! put more behind it, which is skipped.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{Incarnation, Packet, PeerInfo, agreement};

const HELLO: u8 = 1;
const PACKET: u8 = 2;
const PART: u8 = 3;
const ECHO: u8 = 4;
/// The flag of a hello whose sender wants to be answered.
const ASKS: u8 = 1;
/// The longest name in bytes; a longer one is cut.
const MAX_NAME: usize = 255;
/// What a part has besides its share of the packet, in bytes.
pub(super) const PART_HEAD: usize = 25;

/// A message that was received.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BrokerMessage {
    Hello(Hello),
    /// What [`Packet::decode`] reads.
    Packet(Bytes),
    Part(Part),
    /// What we have sent to ourselves to know that it went out, and everything before it.
    Echo(Incarnation),
}

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub(super) peer: PeerInfo,
    /// Which of its hellos it is, so that a node knows its own ones apart.
    pub(super) number: u64,
    /// Whether it wants to be answered at once.
    pub(super) asks: bool,
}

/// A piece of a packet that was too long for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: Incarnation,
    /// Which of the sender's cut packets; later ones have higher numbers.
    pub(super) id: u64,
    pub(super) index: u32,
    pub(super) count: u32,
    pub(super) bytes: Bytes,
}

impl BrokerMessage {
    /// Reads a message; none if it is not one.
    pub(super) fn decode(mut wire: Bytes) -> Option<BrokerMessage> {
        match wire.try_get_u8().ok()? {
            HELLO => Hello::decode(wire).map(BrokerMessage::Hello),
            PACKET => Some(BrokerMessage::Packet(wire)),
            PART => Part::decode(wire).map(BrokerMessage::Part),
            ECHO => wire.try_get_u64().ok().map(|number| BrokerMessage::Echo(Incarnation(number))),
            _ => None,
        }
    }
}

impl Hello {
    pub(super) fn encode(&self) -> Bytes {
        let name = &self.peer.name[..self.peer.name.floor_char_boundary(MAX_NAME)];
        let mut out = BytesMut::with_capacity(24 + name.len());
        out.put_u8(HELLO);
        out.put_u8(if self.asks { ASKS } else { 0 });
        out.put_u8(self.peer.version);
        out.put_u64(self.peer.incarnation.0);
        out.put_u64(self.number);
        out.put_u8(name.len() as u8); // at most MAX_NAME
        out.put_slice(name.as_bytes());
        out.put_u32(self.peer.agreement);
        out.freeze()
    }

    fn decode(mut wire: Bytes) -> Option<Hello> {
        let asks = wire.try_get_u8().ok()? & ASKS != 0;
        let version = wire.try_get_u8().ok().filter(|version| *version > 0)?;
        let incarnation = wire.try_get_u64().ok().filter(|number| *number > 0)?;
        let number = wire.try_get_u64().ok()?;
        let name_len = usize::from(wire.try_get_u8().ok()?);
        let (name, rest) = wire.split_at_checked(name_len)?;
        let name = std::str::from_utf8(name).ok()?.to_owned();
        let agreement = agreement::decode(rest)?;
        let incarnation = Incarnation(incarnation);
        Some(Hello { peer: PeerInfo { incarnation, name, version, agreement }, number, asks })
    }
}

impl Part {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(PART_HEAD + self.bytes.len());
        out.put_u8(PART);
        out.put_u64(self.from.0);
        out.put_u64(self.id);
        out.put_u32(self.index);
        out.put_u32(self.count);
        out.put_slice(&self.bytes);
        out.freeze()
    }

    fn decode(mut wire: Bytes) -> Option<Part> {
        let from = Incarnation(wire.try_get_u64().ok()?);
        let id = wire.try_get_u64().ok()?;
        let index = wire.try_get_u32().ok()?;
        let count = wire.try_get_u32().ok()?;
        (index < count).then_some(Part { from, id, index, count, bytes: wire })
    }
}

/// A whole packet as one message.
pub(super) fn packet(packet: &Packet) -> Bytes {
    let mut out = BytesMut::with_capacity(1 + packet.encoded_len());
    out.put_u8(PACKET);
    packet.encode_head(&mut out);
    packet.entries.iter().for_each(|entry| out.put_slice(entry));
    out.freeze()
}

/// What we send to ourselves, see [`BrokerMessage::Echo`].
pub(super) fn echo(me: Incarnation) -> Bytes {
    let mut out = BytesMut::with_capacity(9);
    out.put_u8(ECHO);
    out.put_u64(me.0);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello(name: &str) -> Hello {
        let incarnation = Incarnation(7);
        let peer = PeerInfo { incarnation, name: name.into(), version: 1, agreement: 5 };
        Hello { peer, number: 3, asks: true }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let decoded = BrokerMessage::decode(hello(&"ü".repeat(200)).encode());
        assert_eq!(decoded, Some(BrokerMessage::Hello(hello(&"ü".repeat(127)))));
    }

    #[test]
    fn a_newer_version_may_say_more() {
        let wire = [&hello("seven").encode()[..], b"more"].concat();
        assert_eq!(BrokerMessage::decode(wire.into()), Some(BrokerMessage::Hello(hello("seven"))));
    }

    #[test]
    fn what_is_no_message_is_none() {
        let whole = hello("seven").encode();
        let undecided = whole.len() - 4; // see the next test
        let mut torsos = (0..whole.len()).filter(|end| *end != undecided);
        assert!(torsos.all(|end| BrokerMessage::decode(whole.slice(..end)).is_none()));
        for wire in [&b""[..], b"\0", b"PING", &[PART; 25], &[ECHO; 8]] {
            assert_eq!(BrokerMessage::decode(Bytes::copy_from_slice(wire)), None, "{wire:?}");
        }
    }

    #[test]
    fn who_says_no_agreement_has_0() {
        let whole = hello("seven").encode();
        let mut older = hello("seven");
        older.peer.agreement = 0;
        let decoded = BrokerMessage::decode(whole.slice(..whole.len() - 4));
        assert_eq!(decoded, Some(BrokerMessage::Hello(older)));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(
            from in 1u64.., id: u64, number: u64, index in 0u32..1000, name in ".{0,60}", asks: bool,
            agreement: u32,
        ) {
            let from = Incarnation(from);
            let peer = PeerInfo { incarnation: from, name, version: 1, agreement };
            let hello = Hello { peer, number, asks };
            prop_assert_eq!(BrokerMessage::decode(hello.encode()), Some(BrokerMessage::Hello(hello)));
            let part = Part { from, id, index, count: 1000, bytes: "x".into() };
            prop_assert_eq!(BrokerMessage::decode(part.encode()), Some(BrokerMessage::Part(part)));
            prop_assert_eq!(BrokerMessage::decode(echo(from)), Some(BrokerMessage::Echo(from)));
        }

        #[test]
        fn anything_is_read_without_harm(wire: Vec<u8>) {
            let _ = BrokerMessage::decode(wire.into());
        }
    }
}

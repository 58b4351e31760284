//! What goes over a connection after the handshake: messages, each with its kind and length.
//!
//! ```text
//!  bytes  1     4       ..
//!         kind  length  body
//!
//!  kind 1, packet     see [`Packet`]
//!  kind 2, addresses  each: 8 incarnation, 1 address length (4 or 16), address, 2 port;
//!                     the address 0.0.0.0 is that of the sender's host
//! ```
//!
//! Numbers are big endian. Unknown kinds are skipped, so that newer versions can say more.

use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::link::MAX_PACKET;
use crate::{Incarnation, Packet, PacketError};

/// Kind and length.
const HEAD: usize = 5;
const PACKET: u8 = 1;
const ADDRESSES: u8 = 2;

/// Where a peer accepts connections.
pub(super) type Address = (Incarnation, SocketAddr);

/// One message that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MeshMessage {
    Packet(Packet),
    /// Where the sender's peers are.
    Addresses(Vec<Address>),
    /// Of a kind that only newer versions know.
    Unknown,
}

/// Bytes that are no messages.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageError {
    #[error("message of {0} bytes, at most {MAX_PACKET} are allowed")]
    TooLong(usize),
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error("malformed list of addresses")]
    Addresses,
}

/// Takes the first message out of what was read; `None` if it is not complete, and then there is
/// room in `buffer` for the rest of it. Packets share the memory of `buffer`.
pub(super) fn take(buffer: &mut BytesMut) -> Result<Option<MeshMessage>, MessageError> {
    let Some((&[kind, ref length @ ..], body)) = buffer.split_first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_PACKET {
        return Err(MessageError::TooLong(length));
    }
    if let Some(missing @ 1..) = length.checked_sub(body.len()) {
        buffer.reserve(missing);
        return Ok(None);
    }
    buffer.advance(HEAD);
    let body = buffer.split_to(length).freeze();
    Ok(Some(match kind {
        PACKET => MeshMessage::Packet(Packet::decode(body)?),
        ADDRESSES => {
            MeshMessage::Addresses(decode_addresses(&body).ok_or(MessageError::Addresses)?)
        }
        _ => MeshMessage::Unknown,
    }))
}

/// A packet's message up to its entries, which follow as they are.
pub(super) fn packet_head(packet: &Packet) -> Bytes {
    let mut out = BytesMut::with_capacity(HEAD + packet.head_len());
    out.put_u8(PACKET);
    out.put_u32(packet.encoded_len() as u32); // some 16 MiB at most
    packet.encode_head(&mut out);
    out.freeze()
}

/// A whole message.
pub(super) fn addresses(addresses: &[Address]) -> Bytes {
    let mut body = Vec::new();
    for (incarnation, address) in addresses {
        body.put_u64(incarnation.0);
        match address.ip() {
            IpAddr::V4(ip) => {
                body.put_u8(4);
                body.put_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                body.put_u8(16);
                body.put_slice(&ip.octets());
            }
        }
        body.put_u16(address.port());
    }
    let mut out = Vec::with_capacity(HEAD + body.len());
    out.put_u8(ADDRESSES);
    out.put_u32(body.len() as u32); // at most 27 bytes for each of at most 65535 peers
    out.put_slice(&body);
    out.into()
}

fn decode_addresses(mut body: &[u8]) -> Option<Vec<Address>> {
    let mut addresses = Vec::new();
    while body.has_remaining() {
        let incarnation = Incarnation(body.try_get_u64().ok()?);
        let ip = match body.try_get_u8().ok()? {
            4 => IpAddr::from(body.try_get_u32().ok()?.to_be_bytes()),
            16 => IpAddr::from(body.try_get_u128().ok()?.to_be_bytes()),
            _ => return None,
        };
        addresses.push((incarnation, SocketAddr::new(ip, body.try_get_u16().ok()?)));
    }
    Some(addresses)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Flags, Header};

    fn packet(entries: Vec<Bytes>) -> Packet {
        let header = Header {
            from: Incarnation(1),
            to: Incarnation(2),
            flags: Flags(0),
            since: 1,
            epoch: 1,
            first: 1,
            ack_epoch: 0,
            ack: 0,
        };
        Packet { header, entries }
    }

    fn wire(packet: &Packet) -> Vec<u8> {
        let mut wire = packet_head(packet).to_vec();
        packet.entries.iter().for_each(|entry| wire.extend(entry));
        wire
    }

    #[test]
    fn messages_come_out_of_pieces() {
        let packet = packet(vec!["one".into(), "".into(), "three".into()]);
        let known = vec![
            (Incarnation(3), "10.0.0.3:11002".parse().unwrap()),
            (Incarnation(4), "[fd00::4]:11002".parse().unwrap()),
        ];
        let mut wire = wire(&packet);
        wire.extend([77, 0, 0, 0, 2, 1, 2]);
        wire.extend(addresses(&known));
        let (mut buffer, mut messages) = (BytesMut::new(), Vec::new());
        for byte in wire {
            buffer.put_u8(byte);
            messages.extend(take(&mut buffer).unwrap());
        }
        let expected =
            [MeshMessage::Packet(packet), MeshMessage::Unknown, MeshMessage::Addresses(known)];
        assert_eq!(messages, expected);
        assert!(buffer.is_empty());
    }

    #[test]
    fn the_length_is_checked_before_room_is_made() {
        let mut buffer = BytesMut::from(&[PACKET, 0xff, 0xff, 0xff, 0xff][..]);
        assert_eq!(take(&mut buffer), Err(MessageError::TooLong(0xffff_ffff)));
        let mut buffer = BytesMut::from(&[PACKET, 0, 0x10, 0, 0, 9][..]);
        assert_eq!(take(&mut buffer), Ok(None));
        assert!(buffer.capacity() >= HEAD + 0x10_0000);
    }

    #[test]
    fn lists_of_addresses_are_whole() {
        let whole = addresses(&[(Incarnation(3), "10.0.0.3:11002".parse().unwrap())]);
        for length in 1..whole.len() - HEAD {
            let mut wire = BytesMut::from(&whole[..HEAD + length]);
            wire[4] = length as u8;
            assert_eq!(take(&mut wire), Err(MessageError::Addresses));
        }
    }

    proptest! {
        #[test]
        fn noise_never_panics(kind in 0u8..4, body: Vec<u8>) {
            let mut wire = BytesMut::new();
            wire.put_u8(kind);
            wire.put_u32(body.len() as u32);
            wire.put_slice(&body);
            let _ = take(&mut wire);
        }
    }
}

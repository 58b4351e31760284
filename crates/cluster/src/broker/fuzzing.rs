//! What comes over a broker, for [`crate::fuzzing`].

use bytes::{Buf, Bytes};

use super::message::{self, Message};
use super::parts::Parts;
use crate::{Incarnation, Packet};

/// Reads a run of messages, each behind its length in two bytes. What was read is written and read
/// again as the same message, and of packets in parts no more is kept than came.
pub fn broker_messages(mut run: &[u8]) {
    let mut parts = Parts::default();
    let mut came = 0;
    while let Ok(length) = run.try_get_u16() {
        let (wire, rest) = run.split_at(usize::from(length).min(run.len()));
        run = rest;
        match Message::decode(Bytes::copy_from_slice(wire)) {
            None => {}
            Some(Message::Hello(hello)) => {
                assert!(hello.peer.version > 0 && hello.peer.incarnation > Incarnation(0));
                assert_eq!(Message::decode(hello.encode()), Some(Message::Hello(hello)));
            }
            Some(Message::Packet(bytes)) => {
                assert_eq!(bytes, wire[1..]);
                if let Ok(packet) = Packet::decode(bytes) {
                    let again = Message::decode(message::packet(&packet));
                    assert_eq!(again, Some(Message::Packet(packet.to_bytes())));
                }
            }
            Some(Message::Part(part)) => {
                assert_eq!(part.encode(), wire);
                came += part.bytes.len();
                let whole = parts.take(part);
                assert!(whole.is_none_or(|whole| whole.len() <= came));
                assert!(parts.held() <= came, "{} bytes kept of {came}", parts.held());
            }
            Some(Message::Echo(whose)) => {
                assert_eq!(Message::decode(message::echo(whose)), Some(Message::Echo(whose)));
            }
        }
    }
}

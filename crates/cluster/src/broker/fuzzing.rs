//! What comes over a broker, for [`crate::fuzzing`].

use bytes::{Buf, Bytes};

use super::message::{self, BrokerMessage};
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
        match BrokerMessage::decode(Bytes::copy_from_slice(wire)) {
            None => {}
            Some(BrokerMessage::Hello(hello)) => {
                assert!(hello.peer.version > 0 && hello.peer.incarnation > Incarnation(0));
                assert_eq!(
                    BrokerMessage::decode(hello.encode()),
                    Some(BrokerMessage::Hello(hello))
                );
            }
            Some(BrokerMessage::Packet(bytes)) => {
                assert_eq!(bytes, wire[1..]);
                if let Ok(packet) = Packet::decode(bytes) {
                    let again = BrokerMessage::decode(message::packet(&packet));
                    assert_eq!(again, Some(BrokerMessage::Packet(packet.to_bytes())));
                }
            }
            Some(BrokerMessage::Part(part)) => {
                assert_eq!(part.encode(), wire);
                came += part.bytes.len();
                let whole = parts.take(part);
                assert!(whole.is_none_or(|whole| whole.len() <= came));
                assert!(parts.held() <= came, "{} bytes kept of {came}", parts.held());
            }
            Some(BrokerMessage::Echo(whose)) => {
                assert_eq!(
                    BrokerMessage::decode(message::echo(whose)),
                    Some(BrokerMessage::Echo(whose))
                );
            }
        }
    }
}

//! What is done with the bytes of strangers by the fuzz target, and by the property test, which is
//! run with every other test.

use bytes::Bytes;

use super::PeerMessage;

/// Reads an entry of a peer's stream. What was read is written and read again as the same message,
/// in one way only, and what a later version appends changes nothing.
///
/// # Panics
/// That does not hold.
pub fn message(entry: &[u8]) {
    let entry = Bytes::copy_from_slice(entry);
    let Ok(message) = PeerMessage::decode(&entry) else { return };
    let longer = Bytes::from([&entry, &b"appended"[..]].concat());
    assert_eq!(PeerMessage::decode(&longer).as_ref(), Ok(&message));
    if let PeerMessage::Unknown(_) = message {
        return; // We never write what a later version tells.
    }
    let written = message.encode();
    assert!(written.len() <= entry.len(), "{} bytes of {}", written.len(), entry.len());
    let read = PeerMessage::decode(&written).expect("what is written is read");
    assert_eq!(read, message);
    assert_eq!(read.encode(), written);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::registry::Member;
    use testkit::{CountingAllocator, HostileTarget};

    use super::*;
    use crate::replication::{ChannelName, EventFrame, LastEventInfo, RateAnswer, RateWish, Stamp};

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator;

    fn samples() -> Vec<Vec<u8>> {
        let topic = ChannelName { app: "app", channel: "presence-room" };
        let member = |id: &str, info: Option<&str>| {
            let (id, id_json) = (id.into(), format!("{id:?}").into());
            Arc::new(Member { id, id_json, info_json: info.map(Into::into) })
        };
        let members = || vec![member("1", None), member("2", Some("{}"))];
        let event = |except| EventFrame { except, frame: Bytes::from_static(b"\x81\x05frame") };
        let stamp = Stamp { millis: 1 << 40, node: 7 };
        let messages = [
            PeerMessage::Subscriptions(topic, 300),
            PeerMessage::Joined(topic, member("1", Some("{\"name\":\"x\"}"))),
            PeerMessage::Left(topic, "1"),
            PeerMessage::Part(topic, members()),
            PeerMessage::Everything(topic, 2, members()),
            PeerMessage::Whole,
            PeerMessage::Event(topic, event(None)),
            PeerMessage::Event(topic, event(Some((1, 1 << 33)))),
            PeerMessage::Cached(
                topic,
                event(None),
                LastEventInfo { data: "{}", stamp, ttl: 9, fresh: true },
            ),
            PeerMessage::Close(topic, 4009, "why"),
            PeerMessage::Connections("app", 9),
            PeerMessage::Lease(crate::leases::LeaseMessage::View {
                number: 3,
                members: [1, 1 << 50].into(),
            }),
            PeerMessage::Lease(crate::leases::LeaseMessage::Ask {
                key: "app".into(),
                limit: 9,
                want: 1,
            }),
            PeerMessage::RateWish("app", RateWish { request: 1, reads: true, least: 1, most: 2 }),
            PeerMessage::RateAnswer(RateAnswer { request: 1, granted: 2, wait_ms: 300 }),
            PeerMessage::Serving(70_000),
            PeerMessage::Withdrawn(vec!["app".into(), "other".into()]),
            PeerMessage::Missed(topic),
            PeerMessage::Claim(
                topic,
                crate::reservations::ReservationMessage::Claim {
                    stamp: crate::reservations::Stamp { time: 1, node: 7 },
                    user: "1".into(),
                },
            ),
        ];
        messages.iter().map(|message| message.encode().to_vec()).collect()
    }

    #[test]
    fn messages_of_strangers() {
        let target = HostileTarget {
            source_file: file!(),
            run: message,
            samples: &samples(),
            at_most: 4 << 10,
            per_byte: 300,
        };
        target.withstands_strangers();
    }
}

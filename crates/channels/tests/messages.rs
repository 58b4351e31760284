//! The entries of a stream: what is written is read, and nothing that is read does harm.

use std::sync::Arc;

use bytes::Bytes;
use channels::leases::GrantNumber;
use channels::registry::Member;
use channels::replication::{
    ChannelName, EventFrame, LastEventInfo, Malformed, PeerMessage, RateAnswer, RateWish, Stamp,
};
use proptest::prelude::*;

fn member() -> impl Strategy<Value = Arc<Member>> {
    (".{0,40}", prop::option::of(".{0,200}")).prop_map(|(id, info)| {
        let id_json = format!("{id:?}").into();
        Arc::new(Member { id: id.into(), id_json, info_json: info.map(Into::into) })
    })
}

/// The parts that messages are made of.
#[derive(Clone, Debug)]
struct Parts {
    app: String,
    channel: String,
    text: String,
    number: u64,
    members: Vec<Arc<Member>>,
    frame: Vec<u8>,
    except: Option<(u64, u64)>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let text = || ".{0,60}";
    let frame = prop::collection::vec(any::<u8>(), 0..300);
    let members = prop::collection::vec(member(), 0..5);
    (text(), text(), text(), any::<u64>(), members, frame, any::<Option<(u64, u64)>>()).prop_map(
        |(app, channel, text, number, members, frame, except)| Parts {
            app,
            channel,
            text,
            number,
            members,
            frame,
            except,
        },
    )
}

fn messages(parts: &Parts) -> Vec<PeerMessage<'_>> {
    let Parts { app, channel, text, number, members, frame, except } = parts;
    let count = *number as u32;
    let topic = ChannelName { app, channel };
    let event = EventFrame { except: *except, frame: Bytes::copy_from_slice(frame) };
    let stamp = Stamp { millis: *number, node: !*number };
    let kept = LastEventInfo { data: text, stamp, ttl: *number, fresh: number % 2 == 0 };
    let mut all = vec![
        PeerMessage::Subscriptions(topic, count),
        PeerMessage::Left(topic, text),
        PeerMessage::Everything(topic, count, members.clone()),
        PeerMessage::Part(topic, members.clone()),
        PeerMessage::Whole,
        PeerMessage::Event(topic, event.clone()),
        PeerMessage::Cached(topic, event, kept),
        PeerMessage::Close(topic, *number as u16, text),
        PeerMessage::Connections(app, count),
        PeerMessage::Withdrawn(vec![app.as_str().into(), text.as_str().into()]),
        PeerMessage::RateWish(
            app,
            RateWish { request: *number, reads: true, least: 1, most: count },
        ),
        PeerMessage::RateAnswer(RateAnswer { request: *number, granted: count, wait_ms: !*number }),
    ];
    let stamp = channels::reservations::Stamp { time: *number, node: !*number };
    all.extend(
        [
            channels::reservations::ReservationMessage::Claim { stamp, user: text.as_str().into() },
            channels::reservations::ReservationMessage::Seen { stamp },
            channels::reservations::ReservationMessage::Settled { stamp },
        ]
        .map(|claim| PeerMessage::Claim(topic, claim)),
    );
    let key: Arc<str> = channel.as_str().into();
    let grant = GrantNumber { owner: *number, number: !*number };
    all.extend(
        [
            channels::leases::LeaseMessage::Held { key: key.clone(), held: count, grant },
            channels::leases::LeaseMessage::View { number: *number, members: [1, *number].into() },
            channels::leases::LeaseMessage::Seen { number: *number, members: [].into() },
            channels::leases::LeaseMessage::Ask { key: key.clone(), limit: count, want: !count },
            channels::leases::LeaseMessage::Grant { key: key.clone(), slots: count, grant },
            channels::leases::LeaseMessage::Deny { key: key.clone() },
            channels::leases::LeaseMessage::Recall { key: key.clone() },
            channels::leases::LeaseMessage::Returned { key },
        ]
        .map(PeerMessage::Lease),
    );
    all.extend(members.first().map(|member| PeerMessage::Joined(topic, member.clone())));
    all
}

proptest! {
    #[test]
    fn what_is_written_is_read(parts in parts()) {
        for message in messages(&parts) {
            let entry = message.encode();
            let read = PeerMessage::decode(&entry);
            prop_assert_eq!(read.as_ref(), Ok(&message));
            // What a later version appends is not read.
            let longer = Bytes::from([&entry[..], b"more"].concat());
            prop_assert_eq!(PeerMessage::decode(&longer), Ok(message));
        }
    }

    #[test]
    fn a_message_that_is_cut_is_refused(parts in parts(), at in any::<prop::sample::Index>()) {
        for message in messages(&parts) {
            let entry = message.encode();
            let cut = entry.slice(..at.index(entry.len()));
            prop_assert!(PeerMessage::decode(&cut).is_err());
        }
    }

    #[test]
    fn anything_may_come(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = PeerMessage::decode(&bytes.into());
    }

    #[test]
    fn a_changed_message_may_come(parts in parts(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for message in messages(&parts) {
            let mut entry = message.encode().to_vec();
            let at = at.index(entry.len());
            entry[at] = byte;
            let _ = PeerMessage::decode(&entry.into());
        }
    }
}

#[test]
fn what_a_later_version_tells_is_skipped() {
    assert_eq!(
        PeerMessage::decode(&Bytes::from_static(&[200, 1, 2])),
        Ok(PeerMessage::Unknown(200))
    );
}

#[test]
fn errors_name_the_field() {
    let of = |bytes: &'static [u8]| PeerMessage::decode(&Bytes::from_static(bytes)).unwrap_err();
    assert_eq!(of(b""), Malformed::Short("tag"));
    assert_eq!(of(&[1, 3, b'a']), Malformed::Short("app"));
    assert_eq!(of(&[1, 1, 0xff]), Malformed::NotText("app"));
    assert_eq!(
        of(&[1, 1, b'a', 1, b'c', 0xff, 0xff, 0xff, 0xff, 0x7f]),
        Malformed::TooBig("count")
    );
    assert_eq!(
        of(&[4, 1, b'a', 1, b'c', 1, 0xff, 0x7f]).to_string(),
        "the entry ends in the middle of its member id"
    );
}

//! What a node tells a peer that does not know everything yet.

use std::sync::Arc;

use bytes::Bytes;
use channels::Publish;
use channels::registry::Member;
use channels::replication::{ChannelName, PeerMessage};
use channels::reservations::{ReservationMessage, Stamp};
use cluster::Incarnation;
use simulation::APP;

use crate::node::{Far, Node};

const PEER: Incarnation = Incarnation(2);
const CHANNEL: &str = "presence-a";
const TOPIC: ChannelName<'_> = ChannelName { app: APP, channel: CHANNEL };

fn member(id: &str, info: usize) -> Arc<Member> {
    let info_json = Some(format!("\"{}\"", "x".repeat(info)).into());
    Arc::new(Member { id: id.into(), id_json: format!("\"{id}\"").into(), info_json })
}

/// A node that has a member in the channel, and so much else that a peer, which it has just found,
/// can only be told a part of it at first.
fn with_much_to_tell() -> (Node, Far) {
    let (mut node, mut far) = (Node::new(), Far::new(PEER));
    node.subscribe(CHANNEL, Some(&member("here", 1)));
    for n in 1..40 {
        node.subscribe(&format!("presence-ballast-{n}"), Some(&member("ballast", 100_000)));
    }
    node.up(PEER);
    assert!(!node.has_told(), "it is too much");
    node.sent(&mut far);
    (node, far)
}

/// Which of the entries is the first that fits.
fn position(entries: &[Bytes], fits: impl Fn(&PeerMessage<'_>) -> bool) -> Option<usize> {
    entries.iter().position(|entry| PeerMessage::decode(entry).is_ok_and(|m| fits(&m)))
}

/// An answer means that everything that was decided without the claim is known.
#[test]
fn a_claim_is_answered_after_the_members_that_were_there_before_it() {
    let (mut node, mut far) = with_much_to_tell();
    let stamp = Stamp { time: 7, node: PEER.0 };
    let claim = ReservationMessage::Claim { stamp, user: "new".into() };
    node.hears(PEER, PeerMessage::Claim(TOPIC, claim));
    let sent = node.sent(&mut far);
    let fact = position(
        &sent,
        |message| matches!(message, PeerMessage::Everything(TOPIC, 1, members) if &*members[0].id == "here"),
    );
    let answer = position(&sent, |message| {
        matches!(message, PeerMessage::Claim(TOPIC, ReservationMessage::Seen { stamp: seen })
            if *seen == stamp)
    });
    assert!(answer.is_some() && fact.is_some() && fact < answer, "{fact:?}, {answer:?}");
}

/// An event never overtakes the fact that it depends on.
#[test]
fn an_event_comes_after_the_members_that_were_there_before_it() {
    let (mut node, mut far) = with_much_to_tell();
    node.hears(PEER, PeerMessage::Subscriptions(TOPIC, 1));
    let (app, frame) = (node.app().clone(), Bytes::from_static(b"frame"));
    let (channel, except, kept) = (CHANNEL, None, None);
    node.channels.publish(Publish { app: &app, channel, frame: &frame, except, kept });
    let sent = node.sent(&mut far);
    let fact = position(&sent, |message| matches!(message, PeerMessage::Everything(TOPIC, 1, _)));
    let event = position(&sent, |message| matches!(message, PeerMessage::Event(TOPIC, _)));
    assert!(event.is_some() && fact.is_some() && fact < event, "{fact:?}, {event:?}");
}

/// Counts are told when they have changed since they were told last. A peer that heard something newer
/// in its snapshot would not hear that it was so briefly.
#[test]
fn a_connection_that_was_there_briefly_is_not_counted_for_ever() {
    let other = Incarnation(3);
    let (mut node, mut far) = (Node::new(), Far::new(other));
    let connections = |node: &Node, count| node.channels.runtime().connections.set(count);
    node.up(PEER);
    connections(&node, 1);
    node.beat();
    connections(&node, 2);
    node.up(other);
    connections(&node, 1);
    node.beat();
    let counts: Vec<u32> = node
        .sent(&mut far)
        .iter()
        .filter_map(|entry| match PeerMessage::decode(entry) {
            Ok(PeerMessage::Connections(APP, count)) => Some(count),
            _ => None,
        })
        .collect();
    assert_eq!(counts.last(), Some(&1), "{counts:?}");
}

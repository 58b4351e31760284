//! Subscriptions that are asked for again, and places that peers have been asked for.

use std::sync::Arc;

use bytes::Bytes;
use channels::registry::Member;
use channels::replication::PeerMessage;
use channels::reservations::ReservationMessage;
use cluster::Incarnation;

use crate::node::{Far, Node};

const PEER: Incarnation = Incarnation(2);

/// A client gets an answer each time it asks (W27).
#[test]
fn whoever_is_subscribed_and_asks_again_is_told_at_once() {
    let mut node = Node::new();
    assert!(node.subscribe("a", None).is_some());
    assert!(node.subscribe_again("a").is_some());
}

/// It is told when everybody else is that waits: when the peer knows of the first subscriber.
#[test]
fn whoever_waits_and_asks_again_goes_on_waiting() {
    let mut node = Node::new();
    node.up(PEER);
    assert!(node.subscribe("a", None).is_none());
    assert!(node.subscribe_again("a").is_none());
    assert_eq!(node.channels.sizes().unacknowledged_channels, 1);
}

fn claims(entries: &[Bytes]) -> usize {
    let is_claim = |entry: &&Bytes| {
        matches!(
            PeerMessage::decode(entry),
            Ok(PeerMessage::Claim(_, ReservationMessage::Claim { .. }))
        )
    };
    entries.iter().filter(is_claim).count()
}

/// A node that waits for a place, of which it has asked the peer.
fn that_waits_for_a_place() -> (Node, Far) {
    let (mut node, mut far) = (Node::new(), Far::new(PEER));
    node.up(PEER);
    node.max_members = 1;
    let member = Member { id: "a".into(), id_json: "\"a\"".into(), info_json: None };
    assert!(node.subscribe("presence-a", Some(&Arc::new(member))).is_none());
    assert_eq!(claims(&node.sent(&mut far)), 1);
    (node, far)
}

/// It may decide something, too.
#[test]
fn a_peer_that_comes_later_is_asked_for_a_place() {
    let ((mut node, _), other) = (that_waits_for_a_place(), Incarnation(3));
    node.up(other);
    assert_eq!(claims(&node.sent(&mut Far::new(other))), 1);
}

/// The answer may have been in what was lost.
#[test]
fn a_peer_that_begins_anew_is_asked_again_for_a_place() {
    let (mut node, mut far) = that_waits_for_a_place();
    node.restarted(PEER);
    assert_eq!(claims(&node.sent(&mut far)), 1);
}

//! Last events of cache channels that somebody else tells than their publisher.

use std::time::Duration;

use bytes::Bytes;
use channels::replication::{ChannelName, EventFrame, LastEventInfo, PeerMessage, Stamp};
use channels::{Delivery, LastEvent, Welcome};
use cluster::Incarnation;
use simulation::APP;

use crate::node::Node;

const TELLER: Incarnation = Incarnation(2);
const PUBLISHER: Incarnation = Incarnation(3);
const CHANNEL: &str = "cache-a";
const FRAME: &[u8] = b"frame";

/// A node with one client of the channel, which found it empty, and these peers.
fn with_peers(peers: &[Incarnation]) -> Node {
    let mut node = Node::new();
    assert!(last_event_of_a_newcomer(&mut node).is_none());
    peers.iter().for_each(|peer| node.up(*peer));
    node
}

/// A peer tells the publisher's event: as it comes, or in a snapshot.
fn hears_from(node: &mut Node, peer: Incarnation, fresh: bool) {
    let topic = ChannelName { app: APP, channel: CHANNEL };
    let event = EventFrame { except: None, frame: Bytes::from_static(FRAME) };
    let stamp = Stamp { millis: 7, node: PUBLISHER.0 };
    let kept = LastEventInfo { data: "\"data\"", stamp, ttl: 60_000, fresh };
    node.hears(peer, PeerMessage::Cached(topic, event, kept));
}

/// How often the channel's clients were sent the event since the last time.
fn frames(node: &Node) -> usize {
    let deliveries = node.delivered();
    deliveries.iter().filter(|delivery| matches!(delivery, Delivery::Frame { .. })).count()
}

fn last_event_of_a_newcomer(node: &mut Node) -> Option<Bytes> {
    match node.subscribe(CHANNEL, None).expect("nobody is waited for") {
        Welcome::Succeeded { last: LastEvent::Event(event), .. } => Some(event.frame.clone()),
        Welcome::Succeeded { last: LastEvent::Missing, .. } => None,
        other => panic!("it is a cache channel: {other:?}"),
    }
}

/// A newcomer that had it from the snapshot would get it twice.
#[test]
fn what_its_publisher_has_yet_to_tell_is_not_the_last_event() {
    let mut node = with_peers(&[TELLER, PUBLISHER]);
    hears_from(&mut node, TELLER, false);
    assert_eq!(last_event_of_a_newcomer(&mut node), None);
    hears_from(&mut node, PUBLISHER, true);
    assert_eq!(frames(&node), 1);
    assert_eq!(last_event_of_a_newcomer(&mut node).as_deref(), Some(FRAME));
}

#[test]
fn what_its_publisher_cannot_tell_any_more_is_the_last_event() {
    let mut node = with_peers(&[TELLER, PUBLISHER]);
    hears_from(&mut node, TELLER, false);
    node.down(PUBLISHER);
    assert_eq!(last_event_of_a_newcomer(&mut node).as_deref(), Some(FRAME));
}

#[test]
fn what_a_publisher_tells_that_came_back_nobody_gets_twice() {
    let mut node = with_peers(&[TELLER]);
    hears_from(&mut node, TELLER, false);
    assert_eq!(last_event_of_a_newcomer(&mut node).as_deref(), Some(FRAME));
    node.up(PUBLISHER);
    hears_from(&mut node, PUBLISHER, true);
    assert_eq!(frames(&node), 0);
}

/// What is known already needs no room a second time.
#[test]
fn what_its_publisher_has_told_is_not_kept_twice() {
    let mut node = with_peers(&[TELLER, PUBLISHER]);
    hears_from(&mut node, PUBLISHER, true);
    hears_from(&mut node, TELLER, false);
    node.down(PUBLISHER);
    let event = node.channels.last_events().get(node.app(), CHANNEL, Duration::ZERO);
    assert!(!event.expect("it is known").is_hearsay);
}

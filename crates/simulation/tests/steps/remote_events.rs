//! Events that were published at another node.

use bytes::Bytes;
use channels::Delivery;
use channels::replication::{ChannelName, EventFrame, PeerMessage};
use cluster::Incarnation;
use protocol::SocketId;
use simulation::APP;

use crate::node::Node;

const PEER: Incarnation = Incarnation(2);
const CHANNEL: ChannelName<'_> = ChannelName { app: APP, channel: "private-a" };

#[test]
fn whoever_sent_an_event_gets_it_back_from_no_node() {
    let mut node = Node::new();
    node.subscribe(CHANNEL.channel, None);
    node.up(PEER);
    let event = EventFrame { except: Some((4, 7)), frame: Bytes::from_static(b"frame") };
    node.hears(PEER, PeerMessage::Event(CHANNEL, event));
    let delivered = node.delivered();
    let sent = delivered.iter().find_map(|delivery| match delivery {
        Delivery::Frame { except, .. } => Some(*except),
        _ => None,
    });
    assert_eq!(sent, Some(Some(SocketId(4, 7))));
}

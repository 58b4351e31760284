//! Who hears how many are subscribed to a channel.

use channels::{Delivery, Interests, Note};
use simulation::INTERESTS;

use crate::node::Node;

/// How often clients and the backend hear of a subscription to a channel.
fn heard(channel: &str, counts_for_clients: bool, counts: bool) -> (usize, usize) {
    let mut node = Node::new();
    let interests = Interests { counts, counts_for_clients, ..INTERESTS };
    node.subscribe_with(interests, channel, None);
    let is_frame = |delivery: &&Delivery| matches!(delivery, Delivery::Frame { .. });
    let is_count = |note: &&Note| matches!(note, Note::Counted(_, 1));
    let (deliveries, notes) = (node.delivered(), node.channels.runtime().notes());
    (deliveries.iter().filter(is_frame).count(), notes.iter().filter(is_count).count())
}

#[test]
fn counts_are_said_to_whoever_wants_them_and_to_nobody_else() {
    assert_eq!(heard("a", true, true), (1, 1));
    assert_eq!(heard("a", true, false), (1, 0));
    assert_eq!(heard("a", false, true), (0, 1));
    assert_eq!(heard("a", false, false), (0, 0));
}

/// Their members say how many there are (W52).
#[test]
fn presence_channels_and_users_have_no_counts() {
    assert_eq!(heard("presence-a", true, true), (0, 0));
    assert_eq!(heard("#server-to-user-a", true, true), (0, 0));
}

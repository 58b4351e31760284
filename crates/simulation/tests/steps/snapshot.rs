//! What a snapshot replaces.

use std::sync::Arc;

use channels::registry::{Found, Locked, Member, NodeId, Registry, Transitions};
use channels::replication::{Applied, ChannelName, Follow, PeerMessage, Replica, everything};
use cluster::MAX_ENTRY;

const PEER: NodeId = NodeId(1);
const CHANNEL: ChannelName<'_> = ChannelName { app: "app", channel: "presence-a" };

/// What one node knows of a peer.
#[derive(Default)]
struct View {
    registry: Registry,
    replica: Replica,
}

/// Nothing follows from what is told.
struct Nobody;

impl Follow for Nobody {
    fn follow(&mut self, _: Locked<'_>, _: Found<'_>, _: Transitions) {}
}

fn member(id: &str) -> Arc<Member> {
    Arc::new(Member { id: id.into(), id_json: format!("\"{id}\"").into(), info_json: None })
}

impl View {
    /// A peer that had one member, and now begins a new stream.
    fn of_renewed_stream() -> Self {
        let mut view = View::default();
        view.replica.restarted(PEER);
        view.tell(PeerMessage::Everything(CHANNEL, 1, vec![member("gone")]));
        view.tell(PeerMessage::Whole);
        view.replica.restarted(PEER);
        view
    }

    fn tell(&mut self, message: PeerMessage<'_>) -> Applied {
        self.replica.apply(&self.registry, PEER, &message, |app| app.into(), &mut Nobody)
    }

    fn members(&self) -> Vec<String> {
        self.registry.read(CHANNEL.app, CHANNEL.channel, |_, found| {
            let members = found.iter().flat_map(|found| found.entry.roster().members());
            members.map(|member| member.id.to_string()).collect()
        })
    }
}

#[test]
fn a_channel_that_is_not_mentioned_is_empty() {
    let mut view = View::of_renewed_stream();
    assert_eq!(view.members(), ["gone"]);
    assert_eq!(view.tell(PeerMessage::Whole), Applied::Whole);
    assert!(view.registry.is_empty());
}

/// The channel was empty when the snapshot came past.
#[test]
fn a_channel_that_is_occupied_after_the_snapshot_came_past_has_its_new_members_only() {
    let mut view = View::of_renewed_stream();
    view.tell(PeerMessage::Subscriptions(CHANNEL, 2));
    view.tell(PeerMessage::Joined(CHANNEL, member("new")));
    view.tell(PeerMessage::Joined(CHANNEL, member("brief")));
    view.tell(PeerMessage::Left(CHANNEL, "brief"));
    view.tell(PeerMessage::Subscriptions(CHANNEL, 1));
    view.tell(PeerMessage::Whole);
    assert_eq!(view.members(), ["new"]);
}

/// The member left when there was no stream, and another one before the snapshot came past.
#[test]
fn a_channel_that_is_vacated_before_the_snapshot_comes_past_is_empty() {
    let mut view = View::of_renewed_stream();
    view.tell(PeerMessage::Left(CHANNEL, "other"));
    view.tell(PeerMessage::Subscriptions(CHANNEL, 0));
    view.tell(PeerMessage::Whole);
    assert!(view.registry.is_empty());
}

#[test]
fn everything_counts_more_than_changes_before_it() {
    let mut view = View::of_renewed_stream();
    view.tell(PeerMessage::Joined(CHANNEL, member("new")));
    view.tell(PeerMessage::Everything(CHANNEL, 2, vec![member("new"), member("old")]));
    view.tell(PeerMessage::Whole);
    assert_eq!(view.members(), ["new", "old"]);
}

/// More members than one entry may have.
#[test]
fn what_is_long_comes_in_parts_and_counts_once_it_is_whole() {
    let large = |number: usize| {
        let info = Some(format!("\"{}\"", "x".repeat(100 << 10)).into());
        Arc::new(Member { info_json: info, ..Member::clone(&member(&format!("{number:03}"))) })
    };
    let all: Vec<_> = (0..300).map(large).collect();
    let entries = everything(CHANNEL, 300, all.clone());
    assert!(entries.len() > 1 && entries.iter().all(|entry| entry.len() <= MAX_ENTRY / 8));
    let names: Vec<_> = all.iter().map(|member| member.id.to_string()).collect();

    let mut view = View::of_renewed_stream();
    let (rest, parts) = entries.split_last().unwrap();
    for part in parts {
        assert_eq!(view.tell(PeerMessage::decode(part).unwrap()), Applied::Part);
        assert_eq!(view.members(), ["gone"], "nobody comes or goes yet");
    }
    assert_eq!(view.tell(PeerMessage::decode(rest).unwrap()), Applied::Fact);
    assert_eq!(view.members(), names);
    // Told once more, in a stream that ends in the middle and in the next one.
    view.tell(PeerMessage::decode(&parts[0]).unwrap());
    view.tell(PeerMessage::Part(CHANNEL, vec![member("of an earlier stream")]));
    view.replica.restarted(PEER);
    for entry in &entries {
        view.tell(PeerMessage::decode(entry).unwrap());
    }
    view.tell(PeerMessage::Whole);
    assert_eq!(view.members(), names);
}

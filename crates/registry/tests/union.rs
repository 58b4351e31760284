//! The union of several nodes' facts against a plain model, and the transitions against the union.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use registry::{
    Change, Member, MemberChange, NodeId, Occupancy, Place, Registry, STRIPES, ShardId,
};

fn member(id: &str) -> Arc<Member> {
    Arc::new(Member { id: id.into(), id_json: format!("{id:?}").into(), info_json: None })
}

const PLACES: [Place; 4] = [
    Place::Shard(ShardId(0)),
    Place::Shard(ShardId(1)),
    Place::Node(NodeId(1)),
    Place::Node(NodeId(2)),
];

#[derive(Clone, Debug)]
enum Step {
    Join { place: usize, user: usize },
    Leave { place: usize, user: usize },
    DropNode(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4usize, 0..3usize).prop_map(|(place, user)| Step::Join { place, user }),
        5 => (0..4usize, 0..3usize).prop_map(|(place, user)| Step::Leave { place, user }),
        1 => (1..3u16).prop_map(Step::DropNode),
    ]
}

proptest! {
    /// Whatever is joined, left and dropped: the roster equals the union of what the places hold,
    /// and added and removed alternate per user, as occupied and vacated do per channel.
    #[test]
    fn transitions_follow_the_union(steps in prop::collection::vec(step(), 1..120)) {
        let registry = Registry::default();
        let (app, channel): (Arc<str>, Arc<str>) = ("a".into(), "presence-x".into());
        let users = ["1", "2", "3"];
        let mut held: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        let mut present: BTreeSet<Box<str>> = BTreeSet::new();
        let mut occupied = false;

        for step in steps {
            let mut seen = Vec::new();
            match step {
                Step::Join { place, user } => {
                    *held.entry((place, user)).or_default() += 1;
                    let member = member(users[user]);
                    let change = Change::Subscribe { member: Some(&member) };
                    seen.push(registry.update(&app, &channel, |e| e.apply(PLACES[place], change)));
                }
                Step::Leave { place, user } => {
                    let Some(count) = held.get_mut(&(place, user)) else { continue };
                    *count -= 1;
                    if *count == 0 {
                        held.remove(&(place, user));
                    }
                    let change = Change::Unsubscribe { user_id: Some(users[user]) };
                    seen.push(registry.update(&app, &channel, |e| e.apply(PLACES[place], change)));
                }
                Step::DropNode(node) => {
                    held.retain(|(place, _), _| PLACES[*place].node() != NodeId(node));
                    registry.drop_node(NodeId(node), |_, _, _, transitions| seen.push(transitions));
                }
            }
            for transitions in seen {
                for change in transitions.members {
                    match change {
                        MemberChange::Added(member) => prop_assert!(present.insert(member.id.clone())),
                        MemberChange::Removed(member) => prop_assert!(present.remove(&member.id)),
                    }
                }
                match transitions.occupancy {
                    Some(Occupancy::Occupied) => prop_assert!(!std::mem::replace(&mut occupied, true)),
                    Some(Occupancy::Vacated) => prop_assert!(std::mem::replace(&mut occupied, false)),
                    None => {}
                }
            }
            let truth: BTreeSet<Box<str>> = held.keys().map(|&(_, user)| users[user].into()).collect();
            prop_assert_eq!(&present, &truth);
            prop_assert_eq!(occupied, !held.is_empty());
            registry.read("a", "presence-x", |entry| {
                let roster: BTreeSet<Box<str>> = entry
                    .into_iter()
                    .flat_map(|(_, e)| e.roster().members().map(|m| m.id.clone()))
                    .collect();
                prop_assert_eq!(&roster, &truth);
                let total = entry.map_or(0, |(_, e)| e.subscribers().total());
                prop_assert_eq!(total, held.values().map(|&n| u64::from(n)).sum::<u64>());
                Ok(())
            })?;
            prop_assert_eq!(registry.is_empty(), held.is_empty());
        }
    }
}

#[test]
fn a_member_on_two_nodes_leaves_with_the_last_of_them() {
    let registry = Registry::default();
    let (app, channel): (Arc<str>, Arc<str>) = ("a".into(), "presence-x".into());
    let (here, there) = (PLACES[0], PLACES[2]);
    let eight = member("8");
    let join = Change::Subscribe { member: Some(&eight) };
    let leave = Change::Unsubscribe { user_id: Some("8") };

    let first = registry.update(&app, &channel, |e| e.apply(here, join));
    assert_eq!(first.occupancy, Some(Occupancy::Occupied));
    assert_eq!(first.members, [MemberChange::Added(eight.clone())]);
    let second = registry.update(&app, &channel, |e| e.apply(there, join));
    assert_eq!(second, Default::default());
    let left = registry.update(&app, &channel, |e| e.apply(here, leave));
    assert_eq!(left, Default::default());

    let mut dropped = Vec::new();
    registry.drop_node(NodeId(1), |_, channel, _, t| dropped.push((channel.clone(), t)));
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].1.members, [MemberChange::Removed(eight)]);
    assert_eq!(dropped[0].1.occupancy, Some(Occupancy::Vacated));
    assert!(registry.is_empty());
}

#[test]
fn taking_away_what_is_not_there_changes_nothing() {
    let registry = Registry::default();
    let (app, channel): (Arc<str>, Arc<str>) = ("a".into(), "x".into());
    let unsubscribe = Change::Unsubscribe { user_id: Some("nobody") };
    assert_eq!(
        registry.update(&app, &channel, |e| e.apply(PLACES[0], unsubscribe)),
        Default::default()
    );
    assert_eq!(
        registry.update(&app, &channel, |e| e.apply(PLACES[0], Change::Unwatch)),
        Default::default()
    );
    assert!(registry.is_empty());
}

#[test]
fn a_snapshot_holds_one_nodes_facts_and_no_others() {
    let registry = Registry::default();
    let app: Arc<str> = "a".into();
    for n in 0..100 {
        let channel: Arc<str> = format!("c{n}").into();
        registry.update(&app, &channel, |e| {
            e.apply(PLACES[0], Change::Subscribe { member: None });
            e.apply(PLACES[1], Change::Subscribe { member: None });
            if n % 2 == 0 {
                e.apply(PLACES[2], Change::Subscribe { member: None });
            }
        });
    }
    let count = |node| -> (usize, u64) {
        let stripes = (0..STRIPES).map(|stripe| {
            registry.snapshot(node, stripe, |facts| {
                (facts.len(), facts.iter().map(|f| f.subscriptions).sum::<u64>())
            })
        });
        stripes.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    };
    assert_eq!(count(NodeId::LOCAL), (100, 200));
    assert_eq!(count(NodeId(1)), (50, 50));
    assert_eq!(count(NodeId(2)), (0, 0));
}

#[test]
fn an_entry_stays_while_somebody_watches() {
    let registry = Registry::default();
    let (app, channel): (Arc<str>, Arc<str>) = ("a".into(), "#server-to-user-1".into());
    registry.update(&app, &channel, |e| e.apply(PLACES[1], Change::Watch));
    registry.read("a", &channel, |entry| {
        let shards: Vec<_> = entry.expect("an entry").1.watchers().shards().collect();
        assert_eq!(shards, [ShardId(1)]);
    });
    registry.update(&app, &channel, |e| e.apply(PLACES[1], Change::Unwatch));
    assert!(registry.is_empty());
}

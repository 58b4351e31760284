//! The union of several nodes' facts against a plain model, and the transitions against the union.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use channels::registry::{
    Entry, Fact, Holder, LocalChange, Member, MemberChange, NodeId, Occupancy, Own, Registry,
    STRIPES, ShardId, Transitions,
};
use proptest::prelude::*;

fn member(id: &str) -> Arc<Member> {
    Arc::new(Member { id: id.into(), id_json: format!("{id:?}").into(), info_json: None })
}

const NODE: NodeId = NodeId(1);

/// Where somebody may join: two shards of this node, and two other nodes.
const PLACES: [Holder; 4] = [
    Holder::Shard(ShardId(0)),
    Holder::Shard(ShardId(1)),
    Holder::Node(NODE),
    Holder::Node(NodeId(2)),
];

#[derive(Clone, Debug)]
enum Step {
    Join { place: usize, user: usize },
    Leave { place: usize, user: usize },
    DropNode(u16),
    TellAgain(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4usize, 0..3usize).prop_map(|(place, user)| Step::Join { place, user }),
        5 => (0..4usize, 0..3usize).prop_map(|(place, user)| Step::Leave { place, user }),
        1 => (1..3u16).prop_map(Step::DropNode),
        1 => (1..3u16).prop_map(Step::TellAgain),
    ]
}

/// Another node is gone, with everything that it held.
fn drop_node(registry: &Registry, node: NodeId, mut decide: impl FnMut(&Arc<str>, Transitions)) {
    for stripe in 0..STRIPES {
        registry.sweep(
            node,
            stripe,
            |_, _| false,
            |_, found, transitions| {
                decide(found.channel, transitions);
            },
        );
    }
}

/// Connections by place and user.
type Held = BTreeMap<(usize, usize), u32>;

/// What a place has: subscriptions, and users.
fn facts(held: &Held, place: Holder, members: &[Arc<Member>]) -> (u32, Vec<Arc<Member>>) {
    let here = held.iter().filter(|((at, _), _)| PLACES[*at] == place);
    here.fold((0, Vec::new()), |(count, mut users), (&(_, user), &n)| {
        users.push(members[user].clone());
        (count + n, users)
    })
}

/// Lets the entry know of one more or less connection of a member at a place.
fn change(
    entry: &mut Entry,
    place: Holder,
    member: &Arc<Member>,
    held: u32,
    total: u32,
    joins: bool,
) -> Vec<Transitions> {
    match (place, joins) {
        (Holder::Shard(shard), true) => {
            vec![entry.apply(shard, LocalChange::Subscribe { member: Some(member) })]
        }
        (Holder::Shard(shard), false) => {
            vec![entry.apply(shard, LocalChange::Unsubscribe { user_id: Some(&member.id) })]
        }
        (Holder::Node(node), _) => {
            let fact = if held > 0 { Fact::Joined(member) } else { Fact::Left(&member.id) };
            vec![entry.apply_fact(node, Fact::Subscriptions(total)), entry.apply_fact(node, fact)]
        }
    }
}

proptest! {
    /// Whatever is joined, left, dropped and told again: the roster equals the union of what the
    /// places hold, and added and removed alternate per user, as occupied and vacated do per
    /// channel; for the union as for this node alone.
    #[test]
    fn transitions_follow_the_union(steps in prop::collection::vec(step(), 1..120)) {
        let registry = Registry::default();
        let (app, channel): (Arc<str>, Arc<str>) = ("a".into(), "presence-x".into());
        let users = ["1", "2", "3"];
        let members = users.map(member);
        let mut held = Held::new();
        let (mut present, mut own_present) = (BTreeSet::new(), BTreeSet::new());
        let (mut occupied, mut own_occupied) = (false, false);

        for step in steps {
            let mut seen = Vec::new();
            match step {
                Step::Join { place, user } | Step::Leave { place, user } => {
                    let joins = matches!(step, Step::Join { .. });
                    let count = held.entry((place, user)).or_default();
                    if joins { *count += 1 } else if *count > 0 { *count -= 1 } else {
                        held.remove(&(place, user));
                        continue;
                    }
                    let left = *count;
                    held.retain(|_, count| *count > 0);
                    let (total, _) = facts(&held, PLACES[place], &members);
                    seen = registry.update(&app, &channel, |_, entry| {
                        change(entry, PLACES[place], &members[user], left, total, joins)
                    });
                }
                Step::DropNode(node) => {
                    held.retain(|(place, _), _| PLACES[*place].node() != NodeId(node));
                    drop_node(&registry, NodeId(node), |_, transitions| seen.push(transitions));
                }
                Step::TellAgain(node) => {
                    let (subscriptions, members) = facts(&held, Holder::Node(NodeId(node)), &members);
                    let fact = Fact::Everything { subscriptions, members: &members };
                    let again = registry.update(&app, &channel, |_, e| e.apply_fact(NodeId(node), fact));
                    prop_assert_eq!(again, Transitions::default());
                }
            }
            for transitions in seen {
                let Own { occupancy, member } = transitions.own;
                for (changes, present) in
                    [(transitions.members, &mut present), (member.into_iter().collect(), &mut own_present)]
                {
                    for change in changes {
                        match change {
                            MemberChange::Added(m) => prop_assert!(present.insert(m.id.clone())),
                            MemberChange::Removed(m) => prop_assert!(present.remove(&m.id)),
                        }
                    }
                }
                for (change, occupied) in
                    [(transitions.occupancy, &mut occupied), (occupancy, &mut own_occupied)]
                {
                    if let Some(change) = change {
                        let is = change == Occupancy::Occupied;
                        prop_assert_ne!(std::mem::replace(occupied, is), is);
                    }
                }
            }
            let here = |place: usize| PLACES[place].node() == NodeId::LOCAL;
            let own: BTreeSet<Box<str>> =
                held.keys().filter(|(place, _)| here(*place)).map(|&(_, user)| users[user].into()).collect();
            prop_assert_eq!(&own_present, &own);
            prop_assert_eq!(own_occupied, !own.is_empty());
            let truth: BTreeSet<Box<str>> = held.keys().map(|&(_, user)| users[user].into()).collect();
            prop_assert_eq!(&present, &truth);
            prop_assert_eq!(occupied, !held.is_empty());
            registry.read("a", "presence-x", |_, entry| {
                let roster: BTreeSet<Box<str>> = entry
                    .into_iter()
                    .flat_map(|found| found.entry.roster().members().map(|m| m.id.clone()))
                    .collect();
                prop_assert_eq!(&roster, &truth);
                let total = entry.map_or(0, |found| found.entry.subscribers().total());
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
    let eight = member("8");
    let here = |change| registry.update(&app, &channel, |_, e| e.apply(ShardId(0), change));
    let there = |fact| registry.update(&app, &channel, |_, e| e.apply_fact(NODE, fact));

    let first = here(LocalChange::Subscribe { member: Some(&eight) });
    assert_eq!(first.occupancy, Some(Occupancy::Occupied));
    assert_eq!(first.members, [MemberChange::Added(eight.clone())]);
    let counted = Transitions { counted: true, ..Transitions::default() };
    assert_eq!(there(Fact::Subscriptions(1)), counted);
    assert_eq!(there(Fact::Subscriptions(1)), Transitions::default());
    assert_eq!(there(Fact::Joined(&eight)), Transitions::default());
    let left = here(LocalChange::Unsubscribe { user_id: Some("8") });
    assert_eq!((left.occupancy, &left.members[..]), (None, &[][..]));
    assert_eq!(left.own.occupancy, Some(Occupancy::Vacated));
    assert_eq!(left.own.member, Some(MemberChange::Removed(eight.clone())));

    let mut dropped = Vec::new();
    drop_node(&registry, NODE, |channel, t| dropped.push((channel.clone(), t)));
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].1.members, [MemberChange::Removed(eight)]);
    assert_eq!(dropped[0].1.occupancy, Some(Occupancy::Vacated));
    assert!(registry.is_empty());
}

#[test]
fn taking_away_what_is_not_there_changes_nothing() {
    let registry = Registry::default();
    let (app, channel): (Arc<str>, Arc<str>) = ("a".into(), "x".into());
    for change in [LocalChange::Unsubscribe { user_id: Some("nobody") }, LocalChange::Unwatch] {
        let transitions = registry.update(&app, &channel, |_, e| e.apply(ShardId(0), change));
        assert_eq!(transitions, Transitions::default());
    }
    for fact in [Fact::Left("nobody"), Fact::Subscriptions(0)] {
        let transitions = registry.update(&app, &channel, |_, e| e.apply_fact(NODE, fact));
        assert_eq!(transitions, Transitions::default());
    }
    assert!(registry.is_empty());
}

#[test]
fn a_snapshot_holds_one_nodes_facts_and_no_others() {
    let registry = Registry::default();
    let app: Arc<str> = "a".into();
    for n in 0..100 {
        let channel: Arc<str> = format!("c{n}").into();
        registry.update(&app, &channel, |_, e| {
            e.apply(ShardId(0), LocalChange::Subscribe { member: None });
            e.apply(ShardId(1), LocalChange::Subscribe { member: None });
            if n % 2 == 0 {
                e.apply_fact(NODE, Fact::Subscriptions(7));
            }
        });
    }
    let count = |node| -> (usize, u32) {
        let stripes = (0..STRIPES).map(|stripe| {
            registry.snapshot(node, stripe, |facts| {
                (facts.len(), facts.iter().map(|f| f.subscriptions).sum::<u32>())
            })
        });
        stripes.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    };
    assert_eq!(count(NodeId::LOCAL), (100, 200));
    assert_eq!(count(NODE), (50, 350));
    assert_eq!(count(NodeId(2)), (0, 0));
}

#[test]
fn a_sweep_spares_what_was_told_again() {
    let registry = Registry::default();
    let (app, old, new): (Arc<str>, Arc<str>, Arc<str>) = ("a".into(), "old".into(), "new".into());
    for channel in [&old, &new] {
        registry.update(&app, channel, |_, e| e.apply_fact(NODE, Fact::Subscriptions(1)));
    }
    let mut swept = Vec::new();
    let keep = |_: &Arc<str>, channel: &Arc<str>| *channel == new;
    for stripe in 0..STRIPES {
        registry.sweep(NODE, stripe, keep, |_, found, _| swept.push(found.channel.clone()));
    }
    assert_eq!(swept, [old]);
    assert_eq!(registry.len(), 1);
}

#[test]
fn an_entry_stays_while_somebody_watches() {
    let registry = Registry::default();
    let (app, channel): (Arc<str>, Arc<str>) = ("a".into(), "#server-to-user-1".into());
    registry.update(&app, &channel, |_, e| e.apply(ShardId(1), LocalChange::Watch));
    registry.read("a", &channel, |_, entry| {
        let shards: Vec<_> = entry.expect("an entry").entry.watchers().shards().collect();
        assert_eq!(shards, [ShardId(1)]);
    });
    registry.update(&app, &channel, |_, e| e.apply(ShardId(1), LocalChange::Unwatch));
    assert!(registry.is_empty());
}

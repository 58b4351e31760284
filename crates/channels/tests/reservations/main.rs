//! Members who come and go on several nodes, with messages that take their time. What is checked is
//! the truth: who is connected where, which no node knows.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod world;

use channels::reservations::allowance;
use proptest::prelude::*;
use world::World;

#[derive(Clone, Debug)]
enum Step {
    Join(usize, u32),
    Leave(usize, u32),
    Deliver(usize, usize),
    Impatience(usize),
    Up,
    Kill(usize),
    Break(usize),
}

/// What happens all the time. Users are few enough to meet themselves on other nodes.
fn ordinary() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..8usize, 0..40u32).prop_map(|(node, user)| Step::Join(node, user)),
        4 => (0..8usize, 0..40u32).prop_map(|(node, user)| Step::Leave(node, user)),
        10 => (any::<usize>(), 1..4usize).prop_map(|(way, count)| Step::Deliver(way, count)),
    ]
}

fn stable() -> impl Strategy<Value = Step> {
    prop_oneof![40 => ordinary(), 1 => (0..8usize).prop_map(Step::Kill)]
}

fn rough() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => ordinary(),
        1 => (0..8usize).prop_map(Step::Kill),
        1 => Just(Step::Up),
        2 => (0..8usize).prop_map(Step::Impatience),
        1 => any::<usize>().prop_map(Step::Break),
    ]
}

fn run(world: &mut World, steps: &[Step]) {
    for step in steps {
        let nodes = world.names();
        let node = |n: usize| nodes[n % nodes.len()];
        match *step {
            Step::Join(n, user) => world.join(node(n), user),
            Step::Leave(n, user) => world.leave(node(n), user),
            Step::Deliver(way, count) => world.deliver_some(way, count),
            Step::Impatience(n) => world.lose_patience(node(n)),
            Step::Up if nodes.len() < 6 => world.up(),
            Step::Kill(n) if nodes.len() > 1 => world.kill(node(n)),
            Step::Break(way) => world.break_off(way),
            Step::Up | Step::Kill(_) => {}
        }
    }
}

/// When everything has been delivered, nobody waits, nothing is kept, and who asks is told the
/// truth.
fn is_true_at_the_end(world: &mut World) {
    world.settle();
    world.is_clean();
    let nodes = world.names();
    for n in 0..nodes.len() as u32 * 2 {
        let (before, node) = (world.members(), nodes[n as usize % nodes.len()]);
        let room = before < world.limit;
        assert_eq!(world.wants(node, 1000 + n), room, "{before} of {}", world.limit);
    }
    world.is_clean();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// Whoever comes and goes where, and in whichever order messages arrive on different ways:
    /// never more than the limit, at no moment.
    #[test]
    fn the_limit_is_exact(
        nodes in 2..7u16,
        limit in 0..40usize,
        steps in prop::collection::vec(stable(), 1..300),
    ) {
        let mut world = World::new(nodes, limit, true);
        run(&mut world, &steps);
        is_true_at_the_end(&mut world);
    }

    /// Streams that break, nodes that join and patience that ends may cost exactness for a moment,
    /// but nobody waits for ever, and nothing is left.
    #[test]
    fn nobody_waits_for_ever(limit in 0..40usize, steps in prop::collection::vec(rough(), 1..300)) {
        let mut world = World::new(3, limit, false);
        run(&mut world, &steps);
        world.settle();
        // With more members than there may be, only patience lets one in that is a member already.
        world.nobody_waits_below_the_limit();
        world.everybody_leaves();
        is_true_at_the_end(&mut world);
    }
}

#[test]
fn of_six_hundred_at_once_a_hundred_get_in() {
    for nodes in 2..7 {
        let mut world = World::new(nodes, 100, true);
        (0..600).for_each(|user| world.join(1 + (user % u32::from(nodes)) as u16, user));
        world.settle();
        assert_eq!(world.members(), 100);
        world.is_clean();
        world.kill(2);
        world.settle();
        let room = 100 - world.members();
        let granted = (1000..1200).filter(|user| world.wants(1, *user)).count();
        assert_eq!(granted, room);
    }
}

#[test]
fn far_from_the_limit_nobody_is_asked() {
    let mut world = World::new(3, 100, true);
    for user in 0..76 {
        world.join(1 + (user % 3) as u16, user);
        assert!(!world.has_claims(), "{user}");
        world.settle();
    }
    world.join(1, 100);
    assert!(world.has_claims());
}

#[test]
fn a_burst_within_the_allowance_asks_nobody() {
    let mut world = World::new(3, 100, true);
    for user in 0..12 {
        world.join(1, user);
        assert!(!world.has_claims(), "{user}");
    }
    world.join(1, 100);
    assert!(world.has_claims());
}

#[test]
fn a_member_comes_to_another_node_though_the_channel_is_full() {
    let mut world = World::new(3, 10, true);
    assert!((0..10).all(|user| world.wants(1, user)));
    assert!(!world.wants(2, 10));
    assert!(world.wants(2, 3));
    assert!(world.wants(1, 3), "and to the same node");
    assert_eq!(world.members(), 10);
}

#[test]
fn who_does_not_answer_is_waited_for_once() {
    let mut world = World::new(2, 10, false);
    assert!((0..9).all(|user| world.wants(1, user)));
    // The other node hears nothing from here on.
    world.join(1, 100);
    assert_eq!((world.members(), world.waiting(1)), (9, 1));
    world.lose_patience(1);
    assert_eq!((world.members(), world.waiting(1)), (10, 0));
    world.join(1, 101);
    world.leave(1, 100);
    world.join(1, 102);
    assert_eq!((world.members(), world.waiting(1)), (10, 0), "nobody waits for it any more");
    world.settle();
    world.leave(1, 102);
    world.join(1, 103);
    assert_eq!(world.waiting(1), 1, "it has answered");
}

#[test]
fn allowances_leave_room_for_each_other() {
    for limit in 0..2000 {
        for nodes in 2..50 {
            let each = allowance(limit, nodes);
            assert!(each * nodes <= limit.div_ceil(2), "{limit} {nodes}");
            assert!(nodes > 4 || limit < 8 || each == limit / 8);
        }
    }
}

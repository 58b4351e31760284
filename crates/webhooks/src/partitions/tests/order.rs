//! What is sent when all goes well, and in which order.

use super::*;

#[test]
fn a_group_is_sent_in_order_and_other_groups_meanwhile() {
    let mut world = World::new(Settings::default(), |_, job: &Job| {
        (seconds(if &*job.group == "slow" { 3 } else { 1 }), Ok(()))
    });
    for tag in 0..20 {
        world.submit(job("a", if tag % 2 == 0 { "slow" } else { "fast" }, 10), tag);
    }
    assert_eq!(world.made.len(), 2);
    world.run_out();
    let delivered = world.delivered_by(|tag| tag % 2);
    assert_eq!(delivered[&0], (0..20).step_by(2).collect::<Vec<_>>());
    assert_eq!(delivered[&1], (1..20).step_by(2).collect::<Vec<_>>());
    // The fast one did not wait for the slow one.
    let last_fast = world.made.iter().rfind(|made| made.group == "fast").unwrap();
    assert_eq!(last_fast.at, seconds(9));
}

#[test]
fn so_many_requests_at_once_and_no_more() {
    let mut world = World::new(Settings::default(), |_, _: &Job| (seconds(1), Ok(())));
    for tag in 0..80 {
        world.submit(job("a", &format!("group {tag}"), 10), tag);
    }
    world.run_out();
    assert_eq!((world.most_under_way, world.delivered()), (8, 80));
    assert_eq!(world.made.last().unwrap().at, seconds(9));
}

#[test]
fn partitions_take_turns_when_requests_are_short() {
    let settings = Settings { requests: 4, ..Settings::default() };
    let mut world = World::new(settings, |_, _: &Job| (seconds(1), Ok(())));
    for tag in 0..100 {
        world.submit(job("busy", &format!("group {tag}"), 10), tag);
    }
    for tag in 100..110 {
        world.submit(job("calm", &format!("group {tag}"), 10), tag);
    }
    world.run_out();
    assert_eq!((world.most_under_way, world.delivered()), (4, 110));
    let calm = world.made.iter().rfind(|made| made.host == "calm").unwrap();
    assert!(calm.at <= seconds(6), "calm was done only at {:?}", calm.at);
}

#[test]
fn a_failing_partition_does_not_hold_up_another() {
    let mut world = World::new(Settings::default(), |_, job: &Job| match &*job.to.label {
        "dead" => (seconds(4), Err(Failure::TimedOut(seconds(4)))),
        _ => (Duration::from_millis(10), Ok(())),
    });
    for tag in 0..1000 {
        let host = if tag % 2 == 0 { "dead" } else { "well" };
        world.submit(job(host, &format!("group {tag}"), 10), tag);
    }
    world.run(seconds(1));
    assert_eq!(world.delivered(), 500);
}

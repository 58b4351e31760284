//! What is held at most.

use super::*;
use crate::Reason;

fn hanging(settings: Settings) -> World<impl FnMut(Now, &Job) -> Answer> {
    World::new(settings, |_, _: &Job| (seconds(4), Err(Failure::TimedOut(seconds(4)))))
}

#[test]
fn a_partition_takes_a_quarter_of_all() {
    let settings = Settings { max_pending: 400_000, ..Settings::default() };
    let mut world = hanging(settings);
    for tag in 0..1000 {
        world.submit(job("a", &format!("group {tag}"), 1000), tag);
    }
    let full = Outcome::GivenUp(Reason::Full);
    let refused = world.finished.iter().filter(|(_, outcome)| *outcome == full).count();
    assert!(world.partitions.bytes <= 100_000, "{} bytes", world.partitions.bytes);
    assert!(refused >= 900 && refused + world.partitions.len() == 1000);
    // Another app's target has room.
    world.submit(job("b", "g", 1000), 1000);
    assert_eq!(world.finished.len(), refused);
    world.run_out();
    assert_eq!(world.finished.len(), 1001);
}

#[test]
fn all_partitions_together_take_so_much() {
    let settings = Settings { max_pending: 400_000, ..Settings::default() };
    let mut world = hanging(settings);
    for tag in 0..1000 {
        world.submit(job(&format!("host {tag}"), "g", 10_000), tag);
    }
    assert!(world.partitions.bytes <= 400_000);
    assert!((30..40).contains(&world.partitions.len()), "{}", world.partitions.len());
    world.run_out();
}

#[test]
fn two_thousand_events_a_second_to_a_target_that_hangs() {
    let mut world = hanging(Settings::default());
    for tag in 0..200_000 {
        world.run(Duration::from_micros(u64::from(tag) * 500));
        world.submit(job("a", &format!("group {}", tag % 1000), 200), tag);
    }
    assert!(world.partitions.bytes <= 16 << 20);
    assert!(world.made.len() < 30, "{} attempts", world.made.len());
    world.run_out();
    assert_eq!(world.finished.len(), 200_000);
}

#[test]
fn a_queue_hears_how_much_room_there_is() {
    let mut world = World::new(Settings::default(), |_, _: &Job| (seconds(1), down()));
    let partition = job("a", "g", 10).to.partition.clone();
    assert_eq!(world.partitions.room(&partition), 64);
    for tag in 0..60 {
        world.submit(job("a", &format!("group {tag}"), 10), tag);
    }
    assert_eq!(world.partitions.room(&partition), 4);
    world.run(seconds(2));
    assert!(world.rests == 1 && world.partitions.room(&partition) == 0);
    world.run_out();
    assert_eq!(world.partitions.room(&partition), 64);
    // Two big ones leave less.
    world.submit(job("a", "g", 8 << 20), 1);
    world.submit(job("a", "g", 7 << 20), 2);
    assert_eq!(world.partitions.room(&partition), 3);
}

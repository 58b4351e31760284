//! Partitions come, are read, and go.

use super::*;

const MUCH: fn(&str) -> usize = |_| 10;
const NONE: fn(&str) -> usize = |_| 0;

fn with(names: &[&str], now: Instant) -> Partitions {
    let mut partitions = Partitions::default();
    for name in names {
        partitions.gain(name, 1, now);
    }
    partitions
}

#[test]
fn a_partition_is_read_as_long_as_there_is_more() {
    let now = Instant::now();
    let mut partitions = with(&["a"], now);
    assert_eq!(partitions.begin_to_read(64, now, MUCH), [("a".into(), 10)]);
    partitions.has_more("a");
    assert!(partitions.begin_to_read(64, now, MUCH).is_empty(), "one call at a time");
    partitions.was_read("a", Some(7), false, now);
    assert_eq!(partitions.get("a").unwrap().next, 8);
    assert_eq!(partitions.begin_to_read(64, now, MUCH).len(), 1, "it has been woken meanwhile");
    partitions.was_read("a", None, false, now);
    assert!(partitions.begin_to_read(64, now, MUCH).is_empty());
    partitions.look_round(now + LOOK);
    assert_eq!(partitions.begin_to_read(64, now + LOOK, MUCH).len(), 1, "nobody need wake it");
}

#[test]
fn a_partition_without_room_is_not_read_but_looked_at() {
    let now = Instant::now();
    let mut partitions = with(&["a", "b"], now);
    let only_b = |name: &str| usize::from(name == "b");
    assert_eq!(partitions.begin_to_read(64, now, only_b), [("b".into(), 1)]);
    assert!(partitions.is_any_full());
    assert!(partitions.begin_to_read(64, now, MUCH).is_empty());
    partitions.look_for_room();
    assert_eq!(partitions.begin_to_read(64, now, MUCH), [("a".into(), 10)]);
    for partition in ["a", "b"] {
        partitions.was_read(partition, None, true, now);
    }
    let late = now + LOOK;
    let looked = partitions.begin_to_read(64, late, NONE);
    assert_eq!(looked.len(), 2, "else it would be held for gone");
    assert!(looked.iter().all(|(_, wanted)| *wanted == 0));
}

#[test]
fn a_partition_that_is_empty_for_long_is_let_go() {
    let now = Instant::now();
    let mut partitions = with(&["a", "b"], now);
    partitions.was_read("b", Some(1), false, now + EMPTY / 2);
    assert!(partitions.look_round(now + EMPTY / 2).is_empty());
    assert_eq!(partitions.look_round(now + EMPTY), [Arc::from("a")]);
}

#[test]
fn those_are_left_first_of_which_little_is_in_hand() {
    let now = Instant::now();
    let mut partitions = with(&["a", "b", "c"], now);
    let in_hand = |name: &str| if name == "b" { 0 } else { 3 };
    assert_eq!(partitions.choose_to_leave(1, now, in_hand), [Arc::from("b")]);
    assert!(partitions.choose_to_leave(1, now, in_hand).is_empty(), "it is on its way");
    assert!(partitions.to_leave(|_| true).is_empty());
    assert_eq!(partitions.to_leave(|_| false), [Arc::from("b")]);
    assert!(!partitions.begin_to_read(64, now, MUCH).iter().any(|(name, _)| &**name == "b"));
    partitions.look_round(now + LEAVE);
    assert!(partitions.to_leave(|_| false).is_empty(), "it took too long");
    assert!(partitions.begin_to_read(64, now, MUCH).iter().any(|(name, _)| &**name == "b"));
}

#[test]
fn a_partition_that_is_given_anew_is_read_from_its_begin() {
    let now = Instant::now();
    let mut partitions = with(&["a"], now);
    partitions.was_read("a", Some(7), false, now);
    partitions.gain("a", 1, now);
    assert_eq!(partitions.get("a").unwrap().next, 8, "it was ours before");
    partitions.gain("a", 2, now);
    assert_eq!(partitions.get("a").unwrap().next, 0);
    partitions.lose("a");
    assert!(partitions.begin_to_read(64, now, MUCH).is_empty() && partitions.len() == 0);
}

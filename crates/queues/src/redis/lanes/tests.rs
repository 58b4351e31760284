//! Lanes come, are read, and go.

use super::*;

const MUCH: fn(&str) -> usize = |_| 10;
const NONE: fn(&str) -> usize = |_| 0;

fn with(names: &[&str], now: Instant) -> Lanes {
    let mut lanes = Lanes::default();
    for name in names {
        lanes.gain(name, 1, now);
    }
    lanes
}

#[test]
fn a_lane_is_read_as_long_as_there_is_more() {
    let now = Instant::now();
    let mut lanes = with(&["a"], now);
    assert_eq!(lanes.begin_to_read(64, now, MUCH), [("a".into(), 10)]);
    lanes.has_more("a");
    assert!(lanes.begin_to_read(64, now, MUCH).is_empty(), "one call at a time");
    lanes.was_read("a", Some(7), false, now);
    assert_eq!(lanes.get("a").unwrap().next, 8);
    assert_eq!(lanes.begin_to_read(64, now, MUCH).len(), 1, "it has been woken meanwhile");
    lanes.was_read("a", None, false, now);
    assert!(lanes.begin_to_read(64, now, MUCH).is_empty());
    lanes.look_round(now + LOOK);
    assert_eq!(lanes.begin_to_read(64, now + LOOK, MUCH).len(), 1, "nobody need wake it");
}

#[test]
fn a_lane_without_room_is_not_read_but_looked_at() {
    let now = Instant::now();
    let mut lanes = with(&["a", "b"], now);
    let only_b = |name: &str| usize::from(name == "b");
    assert_eq!(lanes.begin_to_read(64, now, only_b), [("b".into(), 1)]);
    assert!(lanes.is_any_full());
    assert!(lanes.begin_to_read(64, now, MUCH).is_empty());
    lanes.look_for_room();
    assert_eq!(lanes.begin_to_read(64, now, MUCH), [("a".into(), 10)]);
    for lane in ["a", "b"] {
        lanes.was_read(lane, None, true, now);
    }
    let late = now + LOOK;
    let looked = lanes.begin_to_read(64, late, NONE);
    assert_eq!(looked.len(), 2, "else it would be held for gone");
    assert!(looked.iter().all(|(_, wanted)| *wanted == 0));
}

#[test]
fn a_lane_that_is_empty_for_long_is_let_go() {
    let now = Instant::now();
    let mut lanes = with(&["a", "b"], now);
    lanes.was_read("b", Some(1), false, now + EMPTY / 2);
    assert!(lanes.look_round(now + EMPTY / 2).is_empty());
    assert_eq!(lanes.look_round(now + EMPTY), [Arc::from("a")]);
}

#[test]
fn those_are_left_first_of_which_little_is_in_hand() {
    let now = Instant::now();
    let mut lanes = with(&["a", "b", "c"], now);
    let in_hand = |name: &str| if name == "b" { 0 } else { 3 };
    assert_eq!(lanes.choose_to_leave(1, now, in_hand), [Arc::from("b")]);
    assert!(lanes.choose_to_leave(1, now, in_hand).is_empty(), "it is on its way");
    assert!(lanes.to_leave(|_| true).is_empty());
    assert_eq!(lanes.to_leave(|_| false), [Arc::from("b")]);
    assert!(!lanes.begin_to_read(64, now, MUCH).iter().any(|(name, _)| &**name == "b"));
    lanes.look_round(now + LEAVE);
    assert!(lanes.to_leave(|_| false).is_empty(), "it took too long");
    assert!(lanes.begin_to_read(64, now, MUCH).iter().any(|(name, _)| &**name == "b"));
}

#[test]
fn a_lane_that_is_given_anew_is_read_from_its_begin() {
    let now = Instant::now();
    let mut lanes = with(&["a"], now);
    lanes.was_read("a", Some(7), false, now);
    lanes.gain("a", 1, now);
    assert_eq!(lanes.get("a").unwrap().next, 8, "it was ours before");
    lanes.gain("a", 2, now);
    assert_eq!(lanes.get("a").unwrap().next, 0);
    lanes.lose("a");
    assert!(lanes.begin_to_read(64, now, MUCH).is_empty() && lanes.len() == 0);
}

//! Random work on a shelf: nothing is lost, and what is of one group is in order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

struct Rooms(HashMap<String, usize>);

impl Room for Rooms {
    fn room(&self, lane: &str) -> usize {
        self.0.get(lane).copied().unwrap_or(1000)
    }
}

fn everywhere() -> Rooms {
    Rooms(HashMap::new())
}

fn held(lane: usize, group: usize, ticket: Ticket) -> Held {
    let (lane, group) = (format!("lane {lane}"), format!("group {group}"));
    Held { ticket, job: Job { lane, group, payload: "xyz".into() }, before: 0 }
}

#[test]
fn lanes_take_turns_and_groups_wait() {
    let mut shelf = Shelf::new((2, 10));
    for (ticket, (lane, group)) in [(0, 0), (0, 0), (0, 1), (0, 2), (1, 0)].into_iter().enumerate()
    {
        assert!(shelf.put(held(lane, group, ticket as Ticket)));
    }
    assert!(!shelf.put(held(0, 2, 3)), "it is there");
    let mut take = || shelf.take(&everywhere()).map(|held| held.ticket);
    // The second of its group waits, and then lane 0 has two in hand.
    assert_eq!([take(), take(), take(), take()], [Some(0), Some(4), Some(2), None]);
    shelf.finish("lane 0", 2);
    assert_eq!(shelf.take(&everywhere()).map(|held| held.ticket), Some(3));
    shelf.finish("lane 0", 0);
    assert_eq!(shelf.take(&everywhere()).map(|held| held.ticket), Some(1));
    assert_eq!(shelf.take_done().len(), 2);
}

#[test]
fn a_lane_without_room_is_looked_at_again() {
    let mut shelf = Shelf::new((8, 8));
    shelf.put(held(0, 0, 1));
    shelf.put(held(1, 0, 2));
    let full = Rooms([("lane 0".to_owned(), 0)].into());
    assert_eq!(shelf.appetite("lane 0", &full), 0);
    assert_eq!(shelf.take(&full).map(|held| held.ticket), Some(2));
    assert!(shelf.take(&everywhere()).is_none() && shelf.is_waiting());
    shelf.look_again(Instant::now());
    assert_eq!(shelf.take(&everywhere()).map(|held| held.ticket), Some(1));
    assert!(!shelf.is_waiting());
}

#[test]
fn what_comes_back_rests_and_is_the_next_of_its_group() {
    let (mut shelf, now) = (Shelf::new((8, 8)), Instant::now());
    shelf.put(held(0, 0, 1));
    shelf.put(held(0, 0, 2));
    shelf.take(&everywhere());
    shelf.give_back("lane 0", 1, now);
    shelf.look_again(now);
    assert!(shelf.take(&everywhere()).is_none() && shelf.is_waiting());
    shelf.look_again(now + REST);
    let again = shelf.take(&everywhere()).unwrap();
    assert_eq!((again.ticket, again.before), (1, 1));
}

#[test]
fn a_lane_that_is_left_keeps_only_what_is_in_hand() {
    let (mut shelf, now) = (Shelf::new((8, 8)), Instant::now());
    for (group, ticket) in [(0, 1), (0, 2), (1, 3), (2, 4)] {
        shelf.put(held(0, group, ticket));
    }
    for _ in 0..3 {
        shelf.take(&everywhere());
    }
    shelf.give_back("lane 0", 4, now);
    shelf.leave("lane 0");
    assert_eq!(shelf.size("lane 0"), (0, 2), "neither what waits nor what rests");
    shelf.give_back("lane 0", 1, now);
    shelf.finish("lane 0", 3);
    assert_eq!(shelf.take_done(), [("lane 0".into(), 3)]);
    shelf.look_again(now + REST);
    assert!(shelf.take(&everywhere()).is_none() && shelf.has("lane 0"));
    shelf.forget("lane 0", &[3]);
    assert!(!shelf.has("lane 0") && shelf.bytes == 0);
}

#[test]
fn what_is_done_is_not_done_again_before_the_server_knows() {
    let mut shelf = Shelf::new((8, 8));
    shelf.put(held(0, 0, 1));
    shelf.take(&everywhere());
    shelf.finish("lane 0", 1);
    assert!(!shelf.put(held(0, 0, 1)), "it was read once more");
    shelf.forget("lane 0", &[1]);
    assert!(shelf.put(held(0, 0, 1)), "it is another one");
}

#[test]
fn many_bytes_spoil_the_appetite() {
    let mut shelf = Shelf::new((8, 64));
    assert_eq!(shelf.appetite("lane 0", &everywhere()), 72);
    let mut large = held(0, 0, 1);
    large.job.payload = vec![0; MAX_BYTES + 1].into();
    shelf.put(large);
    assert_eq!(shelf.appetite("lane 0", &everywhere()), 0);
    assert_eq!(shelf.appetite("lane 1", &everywhere()), 1, "nobody starves");
    shelf.take(&everywhere());
    assert_eq!(shelf.appetite("lane 0", &everywhere()), 71);
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, usize),
    Take,
    Finish(usize),
    GiveBack(usize),
    Later,
    Room(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, 0..3_usize).prop_map(|(lane, group)| Step::Put(lane, group)),
        4 => Just(Step::Take),
        3 => any::<usize>().prop_map(Step::Finish),
        1 => any::<usize>().prop_map(Step::GiveBack),
        1 => Just(Step::Later),
        1 => (0..3_usize, 0..2_usize).prop_map(|(lane, room)| Step::Room(lane, room)),
    ]
}

/// A job in hand, by lane and group.
fn name(held: &Held) -> (String, String) {
    (held.job.lane.clone(), held.job.group.clone())
}

proptest! {
    #[test]
    fn nothing_is_lost_and_groups_are_in_order(steps in vec(step(), 0..300)) {
        let mut shelf = Shelf::new((2, 4));
        let (mut rooms, mut now, mut put) = (everywhere(), Instant::now(), 0);
        let mut in_hand: Vec<Held> = Vec::new();
        let mut last: HashMap<(String, String), Ticket> = HashMap::new();
        let mut finished = 0;
        let mut finish = |shelf: &mut Shelf, held: Held| {
            let before = last.insert(name(&held), held.ticket);
            assert!(before.is_none_or(|before| before < held.ticket), "out of order");
            shelf.finish(&held.job.lane, held.ticket);
            finished += 1;
        };
        for step in steps {
            match step {
                Step::Put(lane, group) => {
                    put += 1;
                    shelf.put(held(lane, group, put));
                }
                Step::Take => in_hand.extend(shelf.take(&rooms)),
                Step::Finish(at) if !in_hand.is_empty() => {
                    let held = in_hand.remove(at % in_hand.len());
                    finish(&mut shelf, held);
                }
                Step::GiveBack(at) if !in_hand.is_empty() => {
                    let held = in_hand.remove(at % in_hand.len());
                    shelf.give_back(&held.job.lane, held.ticket, now);
                }
                Step::Later => {
                    now += REST;
                    shelf.look_again(now);
                }
                Step::Room(lane, room) => drop(rooms.0.insert(format!("lane {lane}"), 1000 * room)),
                _ => {}
            }
            let busy: HashSet<_> = in_hand.iter().map(name).collect();
            prop_assert_eq!(busy.len(), in_hand.len(), "two of one group");
            for lane in 0..3 {
                let lane = format!("lane {lane}");
                prop_assert!(in_hand.iter().filter(|held| held.job.lane == lane).count() <= 2);
            }
        }
        // In the end everything is done.
        loop {
            now += REST;
            shelf.look_again(now);
            while let Some(held) = shelf.take(&everywhere()) {
                in_hand.push(held);
            }
            if in_hand.is_empty() {
                break;
            }
            for held in in_hand.drain(..) {
                finish(&mut shelf, held);
            }
        }
        prop_assert_eq!(finished, put);
        for (lane, ticket) in shelf.take_done() {
            shelf.forget(&lane, &[ticket]);
        }
        prop_assert!(shelf.lanes.is_empty() && shelf.bytes == 0 && !shelf.is_waiting());
    }
}

//! Random work on a scheduler: nothing is lost, and what is of one group is in order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

struct Rooms(HashMap<String, usize>);

impl Room for Rooms {
    fn room(&self, partition: &str) -> usize {
        self.0.get(partition).copied().unwrap_or(1000)
    }
}

fn everywhere() -> Rooms {
    Rooms(HashMap::new())
}

fn held(partition: usize, group: usize, handout: HandoutId) -> Held {
    let (partition, group) = (format!("lane {partition}"), format!("group {group}"));
    Held { handout, job: Job { partition, group, payload: "xyz".into() }, before: 0 }
}

#[test]
fn partitions_take_turns_and_groups_wait() {
    let mut scheduler = Scheduler::new((2, 10));
    for (handout, (partition, group)) in
        [(0, 0), (0, 0), (0, 1), (0, 2), (1, 0)].into_iter().enumerate()
    {
        assert!(scheduler.put(held(partition, group, handout as HandoutId)));
    }
    assert!(!scheduler.put(held(0, 2, 3)), "it is there");
    let mut take = || scheduler.take(&everywhere()).map(|held| held.handout);
    // The second of its group waits, and then partition 0 has two in hand.
    assert_eq!([take(), take(), take(), take()], [Some(0), Some(4), Some(2), None]);
    scheduler.finish("lane 0", 2);
    assert_eq!(scheduler.take(&everywhere()).map(|held| held.handout), Some(3));
    scheduler.finish("lane 0", 0);
    assert_eq!(scheduler.take(&everywhere()).map(|held| held.handout), Some(1));
    assert_eq!(scheduler.take_done().len(), 2);
}

#[test]
fn a_partition_without_room_is_looked_at_again() {
    let mut scheduler = Scheduler::new((8, 8));
    scheduler.put(held(0, 0, 1));
    scheduler.put(held(1, 0, 2));
    let full = Rooms([("lane 0".to_owned(), 0)].into());
    assert_eq!(scheduler.appetite("lane 0", &full), 0);
    assert_eq!(scheduler.take(&full).map(|held| held.handout), Some(2));
    assert!(scheduler.take(&everywhere()).is_none() && scheduler.is_waiting());
    scheduler.look_again(Instant::now());
    assert_eq!(scheduler.take(&everywhere()).map(|held| held.handout), Some(1));
    assert!(!scheduler.is_waiting());
}

#[test]
fn what_comes_back_rests_and_is_the_next_of_its_group() {
    let (mut scheduler, now) = (Scheduler::new((8, 8)), Instant::now());
    scheduler.put(held(0, 0, 1));
    scheduler.put(held(0, 0, 2));
    scheduler.take(&everywhere());
    scheduler.give_back("lane 0", 1, now);
    scheduler.look_again(now);
    assert!(scheduler.take(&everywhere()).is_none() && scheduler.is_waiting());
    scheduler.look_again(now + RETRY_PAUSE);
    let again = scheduler.take(&everywhere()).unwrap();
    assert_eq!((again.handout, again.before), (1, 1));
}

#[test]
fn a_partition_that_is_left_keeps_only_what_is_in_hand() {
    let (mut scheduler, now) = (Scheduler::new((8, 8)), Instant::now());
    for (group, handout) in [(0, 1), (0, 2), (1, 3), (2, 4)] {
        scheduler.put(held(0, group, handout));
    }
    for _ in 0..3 {
        scheduler.take(&everywhere());
    }
    scheduler.give_back("lane 0", 4, now);
    scheduler.leave("lane 0");
    assert_eq!(scheduler.size("lane 0"), (0, 2), "neither what waits nor what rests");
    scheduler.give_back("lane 0", 1, now);
    scheduler.finish("lane 0", 3);
    assert_eq!(scheduler.take_done(), [("lane 0".into(), 3)]);
    scheduler.look_again(now + RETRY_PAUSE);
    assert!(scheduler.take(&everywhere()).is_none() && scheduler.has("lane 0"));
    scheduler.forget("lane 0", &[3]);
    assert!(!scheduler.has("lane 0") && scheduler.bytes == 0);
}

#[test]
fn what_is_done_is_not_done_again_before_the_server_knows() {
    let mut scheduler = Scheduler::new((8, 8));
    scheduler.put(held(0, 0, 1));
    scheduler.take(&everywhere());
    scheduler.finish("lane 0", 1);
    assert!(!scheduler.put(held(0, 0, 1)), "it was read once more");
    scheduler.forget("lane 0", &[1]);
    assert!(scheduler.put(held(0, 0, 1)), "it is another one");
}

#[test]
fn many_bytes_spoil_the_appetite() {
    let mut scheduler = Scheduler::new((8, 64));
    assert_eq!(scheduler.appetite("lane 0", &everywhere()), 72);
    let mut large = held(0, 0, 1);
    large.job.payload = vec![0; MAX_BYTES + 1].into();
    scheduler.put(large);
    assert_eq!(scheduler.appetite("lane 0", &everywhere()), 0);
    assert_eq!(scheduler.appetite("lane 1", &everywhere()), 1, "nobody starves");
    scheduler.take(&everywhere());
    assert_eq!(scheduler.appetite("lane 0", &everywhere()), 71);
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
        4 => (0..3_usize, 0..3_usize).prop_map(|(partition, group)| Step::Put(partition, group)),
        4 => Just(Step::Take),
        3 => any::<usize>().prop_map(Step::Finish),
        1 => any::<usize>().prop_map(Step::GiveBack),
        1 => Just(Step::Later),
        1 => (0..3_usize, 0..2_usize).prop_map(|(partition, room)| Step::Room(partition, room)),
    ]
}

/// A job in hand, by partition and group.
fn name(held: &Held) -> (String, String) {
    (held.job.partition.clone(), held.job.group.clone())
}

proptest! {
    #[test]
    fn nothing_is_lost_and_groups_are_in_order(steps in vec(step(), 0..300)) {
        let mut scheduler = Scheduler::new((2, 4));
        let (mut rooms, mut now, mut put) = (everywhere(), Instant::now(), 0);
        let mut in_hand: Vec<Held> = Vec::new();
        let mut last: HashMap<(String, String), HandoutId> = HashMap::new();
        let mut finished = 0;
        let mut finish = |scheduler: &mut Scheduler, held: Held| {
            let before = last.insert(name(&held), held.handout);
            assert!(before.is_none_or(|before| before < held.handout), "out of order");
            scheduler.finish(&held.job.partition, held.handout);
            finished += 1;
        };
        for step in steps {
            match step {
                Step::Put(partition, group) => {
                    put += 1;
                    scheduler.put(held(partition, group, put));
                }
                Step::Take => in_hand.extend(scheduler.take(&rooms)),
                Step::Finish(at) if !in_hand.is_empty() => {
                    let held = in_hand.remove(at % in_hand.len());
                    finish(&mut scheduler, held);
                }
                Step::GiveBack(at) if !in_hand.is_empty() => {
                    let held = in_hand.remove(at % in_hand.len());
                    scheduler.give_back(&held.job.partition, held.handout, now);
                }
                Step::Later => {
                    now += RETRY_PAUSE;
                    scheduler.look_again(now);
                }
                Step::Room(partition, room) => drop(rooms.0.insert(format!("lane {partition}"), 1000 * room)),
                _ => {}
            }
            let busy: HashSet<_> = in_hand.iter().map(name).collect();
            prop_assert_eq!(busy.len(), in_hand.len(), "two of one group");
            for partition in 0..3 {
                let partition = format!("lane {partition}");
                prop_assert!(in_hand.iter().filter(|held| held.job.partition == partition).count() <= 2);
            }
        }
        // In the end everything is done.
        loop {
            now += RETRY_PAUSE;
            scheduler.look_again(now);
            while let Some(held) = scheduler.take(&everywhere()) {
                in_hand.push(held);
            }
            if in_hand.is_empty() {
                break;
            }
            for held in in_hand.drain(..) {
                finish(&mut scheduler, held);
            }
        }
        prop_assert_eq!(finished, put);
        for (partition, handout) in scheduler.take_done() {
            scheduler.forget(&partition, &[handout]);
        }
        prop_assert!(scheduler.partitions.is_empty() && scheduler.bytes == 0 && !scheduler.is_waiting());
    }
}

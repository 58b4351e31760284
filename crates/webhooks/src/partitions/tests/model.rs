//! Whatever happens: nothing lost, nothing out of order, nothing beyond its bounds.

use std::cell::RefCell;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Submit { host: u8, group: u8, size: u16 },
    Pass { millis: u32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let submit = (0..4u8, 0..6u8, 0..2000u16);
    let submit = submit.prop_map(|(host, group, size)| Step::Submit { host, group, size });
    let pass = prop_oneof![0..2000u32, 0..120_000u32].prop_map(|millis| Step::Pass { millis });
    prop::collection::vec(prop_oneof![4 => submit, 1 => pass], 1..200)
}

/// How an attempt ends, and after how many milliseconds.
fn answers() -> impl Strategy<Value = Vec<(u32, u8)>> {
    prop::collection::vec((0..5000u32, 0..10u8), 1..60)
}

fn answer((millis, kind): (u32, u8)) -> Answer {
    let retry_after = Some(seconds(u64::from(millis) / 50));
    let result = match kind {
        0..4 => Ok(()),
        4 => down(),
        5 => Err(Failure::TimedOut(seconds(4))),
        6 => Err(Failure::Status { status: 503, retry_after }),
        7 => Err(Failure::UnknownApp),
        _ => status(500),
    };
    (Duration::from_millis(u64::from(millis)), result)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn nothing_is_lost_or_out_of_order_or_without_bounds(
        steps in steps(),
        answers in answers(),
        random: u32,
    ) {
        let settings = Settings {
            max_pending: 40_000,
            requests_per_partition: 3,
            requests: 7,
            ..Settings::default()
        };
        let made = RefCell::new(0);
        let mut world = World::new(settings, |_, _: &Job| {
            let at = made.replace_with(|n| *n + 1);
            // In the end all targets are well, or the test would not be.
            answers.get(at % (answers.len() * 2)).map_or((seconds(1), Ok(())), |a| answer(*a))
        });
        world.random = random;
        let mut submitted = Vec::new();
        for step in steps {
            match step {
                Step::Submit { host, group, size } => {
                    let tag = u32::try_from(submitted.len()).unwrap();
                    submitted.push((host, group));
                    let (host, group) = (format!("host {host}"), format!("group {group}"));
                    world.submit(job(&host, &group, size.into()), tag);
                }
                Step::Pass { millis } => {
                    let until = world.now + Duration::from_millis(millis.into());
                    world.run(until);
                }
            }
            prop_assert!(world.partitions.bytes <= 40_000);
            prop_assert!(world.under_way.len() <= 7);
            prop_assert_eq!(world.under_way.len(), world.partitions.in_flight());
            prop_assert_eq!(world.partitions.len() + world.finished.len(), submitted.len());
            for partition in world.partitions.partitions.values() {
                prop_assert!(partition.bytes() <= 10_000 && partition.len() > 0);
            }
        }
        world.run_out();
        let mut tags: Vec<_> = world.finished.iter().map(|(tag, _)| *tag).collect();
        tags.sort_unstable();
        prop_assert!(tags.iter().copied().eq(0..submitted.len() as u32), "each once");
        for tags in world.delivered_by(|tag| submitted[tag as usize]).values() {
            prop_assert!(tags.is_sorted());
        }
    }
}

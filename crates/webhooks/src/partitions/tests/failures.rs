//! What is sent again, when, and for how long.

use super::*;
use crate::Reason;

#[test]
fn a_job_is_sent_again_after_pauses_that_double_for_five_minutes() {
    let mut world = World::new(Settings::default(), |_, _: &Job| (Duration::ZERO, status(500)));
    world.submit(job("a", "g", 10), 1);
    world.run_out();
    let expected = [0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181, 211, 241, 271];
    assert_eq!(world.attempts_at(), expected);
    let last = Failure::Status { status: 500, retry_after: None };
    let expired = Reason::Expired { after: seconds(300), last };
    assert_eq!(world.finished, [(1, Outcome::GivenUp(expired))]);
}

#[test]
fn half_of_a_pause_is_random() {
    let mut world = World::new(Settings::default(), |now, _: &Job| {
        (Duration::ZERO, if now < seconds(2) { status(500) } else { Ok(()) })
    });
    world.random = 0;
    world.submit(job("a", "g", 10), 1);
    world.run_out();
    let at: Vec<_> = world.made.iter().map(|made| made.at.as_millis()).collect();
    assert_eq!(at, [0, 500, 1500, 3500]);
}

#[test]
fn five_minutes_begin_with_the_first_attempt() {
    // The first job takes an hour and fails in the end; the second has waited for all that time.
    let mut world = World::new(Settings::default(), |now, _: &Job| match now.as_secs() {
        0 => (seconds(3600), Ok(())),
        _ => (Duration::ZERO, status(500)),
    });
    world.submit(job("a", "g", 10), 1);
    world.submit(job("a", "g", 10), 2);
    world.run_out();
    assert_eq!(world.made.first().unwrap().at, Duration::ZERO);
    assert_eq!(world.made.get(1).unwrap().at, seconds(3600));
    assert_eq!(world.made.last().unwrap().at, seconds(3600 + 271));
}

#[test]
fn a_target_that_is_down_gets_one_attempt_at_a_time() {
    let mut world =
        World::new(Settings::default(), |_, _: &Job| (Duration::from_millis(1), down()));
    for tag in 0..1000 {
        world.submit(job("a", &format!("group {tag}"), 10), tag);
    }
    world.run(seconds(29));
    // Eight before anything was known, then after 1, 2, 4 and 8 s.
    assert_eq!(world.made.len(), 8 + 4);
    assert_eq!(world.rests, 1);
    world.run_out();
    let all_expired = world.finished.iter().all(|(_, outcome)| {
        matches!(outcome, Outcome::GivenUp(Reason::Expired { after, .. }) if *after >= seconds(300))
    });
    assert!(all_expired && world.finished.len() == 1000);
    assert!(world.made.len() < 8 + 16, "{} attempts", world.made.len());
    assert!(world.now < seconds(302) || world.partitions.due().is_none());
}

#[test]
fn a_target_that_hangs_rests_after_eight_failures() {
    let hangs = |_: Now, _: &Job| (seconds(4), Err(Failure::TimedOut(seconds(4))));
    let mut world = World::new(Settings::default(), hangs);
    for tag in 0..1000 {
        world.submit(job("a", &format!("group {tag}"), 10), tag);
    }
    world.run(seconds(60));
    assert!(world.made.len() < 8 + 8 + 6, "{} attempts", world.made.len());
    assert_eq!(world.rests, 1);
}

#[test]
fn nothing_is_lost_in_an_outage_of_thirty_seconds() {
    let mut world = World::new(Settings::default(), |now, _: &Job| {
        let down_now = (seconds(5)..seconds(35)).contains(&now);
        (Duration::from_millis(5), if down_now { down() } else { Ok(()) })
    });
    // 10,000 events while it is down, on 100 channels.
    for tag in 0..10_000 {
        world.run(seconds(5) + Duration::from_millis(u64::from(tag) * 3));
        world.submit(job("a", &format!("group {}", tag % 100), 100), tag);
    }
    world.run(seconds(120));
    assert_eq!((world.delivered(), world.rests, world.recovered), (10_000, 1, 1));
    for (group, tags) in world.delivered_by(|tag| tag % 100) {
        assert_eq!(tags, (group..10_000).step_by(100).collect::<Vec<_>>());
    }
    world.run_out();
}

#[test]
fn one_job_that_a_target_dislikes_holds_up_its_group_alone() {
    let mut world = World::new(Settings::default(), |_, job: &Job| {
        (Duration::from_millis(1), if &*job.group == "odd" { status(400) } else { Ok(()) })
    });
    world.submit(job("a", "odd", 10), 0);
    for tag in 1..1000 {
        world.submit(job("a", &format!("group {}", tag % 10), 10), tag);
    }
    world.run(seconds(1));
    assert_eq!((world.delivered(), world.rests), (999, 0));
    world.run_out();
    assert_eq!(world.finished.last().unwrap().0, 0);
}

#[test]
fn what_waits_behind_failures_is_given_up_in_time_too() {
    // One event each second that the target dislikes, for an hour.
    let mut world = World::new(Settings::default(), |_, _: &Job| (Duration::ZERO, status(400)));
    for tag in 0..3600 {
        world.run(seconds(u64::from(tag)));
        world.submit(job("a", "odd", 10), tag);
        assert!(world.partitions.len() <= 302, "{} are waiting", world.partitions.len());
    }
    world.run_out();
    let expired =
        |(_, outcome): &(u32, Outcome)| matches!(outcome, Outcome::GivenUp(Reason::Expired { .. }));
    assert!(world.finished.len() == 3600 && world.finished.iter().all(expired));
}

#[test]
fn hopeless_jobs_are_given_up_at_once() {
    for failure in [Failure::UnknownApp, Failure::Unusable("no".into())] {
        let mut world =
            World::new(Settings::default(), |_, _: &Job| (Duration::ZERO, Err(failure.clone())));
        world.submit(job("a", "g", 10), 1);
        world.submit(job("a", "g", 10), 2);
        world.run_out();
        let hopeless = Outcome::GivenUp(Reason::Hopeless(failure.clone()));
        assert_eq!(world.finished, [(1, hopeless.clone()), (2, hopeless)]);
        assert_eq!((world.made.len(), world.rests), (2, 0));
    }
}

#[test]
fn a_busy_target_is_left_alone_for_as_long_as_it_asks() {
    let mut world = World::new(Settings::default(), |now, _: &Job| {
        let busy = Failure::Status { status: 503, retry_after: Some(seconds(20)) };
        (Duration::ZERO, if now < seconds(20) { Err(busy) } else { Ok(()) })
    });
    for tag in 0..100 {
        world.submit(job("a", &format!("group {tag}"), 10), tag);
    }
    world.run(seconds(19));
    assert_eq!(world.made.len(), 8);
    world.run(seconds(20));
    assert_eq!(world.delivered(), 100);
}

#[test]
fn the_last_call_tries_everything_once_more() {
    let mut world = World::new(Settings::default(), |now, job: &Job| {
        let back = now >= seconds(2) && &*job.to.label == "back";
        (Duration::from_millis(1), if back { Ok(()) } else { down() })
    });
    for tag in 0..50 {
        let host = if tag % 2 == 0 { "back" } else { "dead" };
        world.submit(job(host, &format!("group {tag}"), 10), tag);
    }
    // Both rest until 3 s.
    world.run(Duration::from_millis(2500));
    let before = world.made.len();
    let mut out = Vec::new();
    world.partitions.last_call(world.now, &mut out);
    world.take(out);
    world.run(seconds(100_000));
    assert_eq!(world.delivered(), 25);
    assert_eq!((world.partitions.len(), world.partitions.in_flight()), (25, 0));
    assert_eq!(world.made.len() - before, 25 + 8);
    // Whoever comes now gets no attempt at a target that has failed.
    world.submit(job("dead", "late", 10), 100);
    world.submit(job("back", "late", 10), 101);
    world.run(seconds(200_000));
    assert_eq!((world.delivered(), world.partitions.len()), (26, 26));
}

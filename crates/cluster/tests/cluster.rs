//! Two nodes, one behaviour at a time.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::sync::Arc;
use std::time::Duration;

use cluster::{
    Cluster, EntryKind, Flags, Incarnation, Log, Now, Output, Packet, PeerInfo, Received, Settings,
    Slot,
};

const A: Incarnation = Incarnation(0xa);
const B: Incarnation = Incarnation(0xb);

fn ms(n: u64) -> Now {
    Duration::from_millis(n)
}

fn info(incarnation: Incarnation) -> PeerInfo {
    PeerInfo { incarnation, name: format!("node-{incarnation}"), version: 1, agreement: 1 }
}

fn cluster(me: Incarnation) -> Cluster {
    Cluster::new(me, Settings::default())
}

/// All outputs as short words.
fn outputs(cluster: &mut Cluster) -> Vec<String> {
    let word = |output| match output {
        Output::Up { slot: Slot(slot), .. } => format!("up {slot}"),
        Output::Stream { .. } => "stream".into(),
        Output::Restarted { .. } => "restarted".into(),
        Output::Entry { entry, .. } => String::from_utf8(entry.into()).unwrap(),
        Output::Acked { seq, .. } => format!("acked {seq}"),
        Output::Ready { ready, .. } => format!("ready {ready}"),
        Output::Down { slot: Slot(slot), reason, .. } => format!("down {slot} {reason:?}"),
    };
    std::iter::from_fn(|| cluster.poll_output()).map(word).collect()
}

fn up(cluster: &mut Cluster, now: Now, peer: Incarnation) -> Arc<Log> {
    cluster.found(now, info(peer));
    match cluster.poll_output() {
        Some(Output::Up { log, .. }) => log,
        other => panic!("{other:?}"),
    }
}

/// Carries packets both ways until nothing is due.
fn exchange(now: Now, a: &mut Cluster, b: &mut Cluster) {
    for _ in 0..1000 {
        let (to_b, to_a) = (a.next_packet(now, b.me()), b.next_packet(now, a.me()));
        if to_b.is_none() && to_a.is_none() {
            return;
        }
        if let Some(packet) = to_b {
            b.receive(now, packet);
        }
        if let Some(packet) = to_a {
            a.receive(now, packet);
        }
    }
    panic!("two nodes talk for ever");
}

/// Two nodes that know each other, and their logs.
fn pair() -> (Cluster, Cluster, Arc<Log>, Arc<Log>) {
    let (mut a, mut b) = (cluster(A), cluster(B));
    let (to_b, to_a) = (up(&mut a, ms(0), B), up(&mut b, ms(0), A));
    exchange(ms(0), &mut a, &mut b);
    assert_eq!((outputs(&mut a), outputs(&mut b)), (words(["restarted"]), words(["restarted"])));
    (a, b, to_b, to_a)
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(String::from).into()
}

fn tick_both(now: Now, a: &mut Cluster, b: &mut Cluster) {
    a.tick(now);
    b.tick(now);
    exchange(now, a, b);
}

#[test]
fn a_snapshot_arrives_before_the_next_heartbeat() {
    let (mut a, mut b) = (cluster(A), cluster(B));
    let to_b = up(&mut a, ms(0), B);
    to_b.append_urgent("snapshot".into(), EntryKind::Snapshot);
    assert_eq!(a.receive(ms(0), b_hello(&mut b)), Received::Taken);
    exchange(ms(0), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["up 1", "restarted", "snapshot"]);
    assert_eq!(outputs(&mut a), ["restarted", "acked 1"]);
    assert_eq!((to_b.acked(), to_b.stats().unacked_entries), (1, 0));
}

/// `b` finds `a` and has a packet for it.
fn b_hello(b: &mut Cluster) -> Packet {
    b.found(ms(0), info(A));
    assert_eq!(b.peers_with_output(ms(0)).collect::<Vec<_>>(), [A]);
    b.next_packet(ms(0), A).unwrap()
}

#[test]
fn packets_from_strangers_and_for_others_are_ignored() {
    let (mut a, mut b) = (cluster(A), cluster(B));
    let packet = b_hello(&mut b);
    assert_eq!(a.receive(ms(0), packet.clone()), Received::Unknown);
    assert_eq!(b.receive(ms(0), packet.clone()), Received::NotForUs);
    assert_eq!(cluster(Incarnation(3)).receive(ms(0), packet), Received::NotForUs);
    a.found(ms(0), info(A));
    assert!(a.next_packet(ms(0), B).is_none());
    assert!(outputs(&mut a).is_empty());
}

#[test]
fn nodes_with_different_agreements_are_never_peers() {
    let with = |me, agreement| Cluster::new(me, Settings { agreement, ..Settings::default() });
    let (mut a, mut b) = (with(A, 1), with(B, 2));
    // The last one does not say any.
    for agreement in [2, 0] {
        a.found(ms(0), PeerInfo { agreement, ..info(B) });
        assert_eq!(a.peers_with_output(ms(0)).count(), 0, "{agreement}");
    }
    b.found(ms(0), PeerInfo { agreement: 2, ..info(A) });
    let packet = b.next_packet(ms(0), A).unwrap();
    assert_eq!(a.receive(ms(0), packet), Received::Unknown);
    assert!(outputs(&mut a).is_empty());
    a.found(ms(0), info(B));
    assert_eq!(outputs(&mut a), ["up 1"], "its successor agrees");
}

#[test]
fn heartbeats_come_without_entries() {
    let (mut a, mut b, ..) = pair();
    let mut heartbeats = 0;
    for now in (0..10_000).step_by(100).map(ms) {
        a.tick(now);
        b.tick(now);
        while let Some(packet) = a.next_packet(now, B) {
            assert!(packet.entries.is_empty());
            b.receive(now, packet);
            heartbeats += 1;
        }
        while let Some(packet) = b.next_packet(now, A) {
            a.receive(now, packet);
        }
    }
    assert_eq!(heartbeats, 19);
    assert!(outputs(&mut a).is_empty() && outputs(&mut b).is_empty());
}

#[test]
fn urgent_entries_are_acknowledged_at_once_and_others_with_the_heartbeat() {
    let (mut a, mut b, to_b, _) = pair();
    assert!(to_b.append("1".into(), EntryKind::Event).unwrap().wake);
    exchange(ms(10), &mut a, &mut b);
    assert_eq!((outputs(&mut b), to_b.acked()), (words(["1"]), 0));
    assert_eq!(to_b.append_urgent("2".into(), EntryKind::Event).unwrap().seq, 2);
    exchange(ms(20), &mut a, &mut b);
    assert_eq!((outputs(&mut b), outputs(&mut a)), (words(["2"]), words(["acked 2"])));
    to_b.append("3".into(), EntryKind::Event);
    exchange(ms(30), &mut a, &mut b);
    tick_both(ms(600), &mut a, &mut b);
    assert_eq!(to_b.acked(), 3);
}

#[test]
fn what_may_wait_goes_out_together_with_what_comes_next_or_after_a_moment() {
    let (mut a, mut b, to_b, to_a) = pair();
    to_b.append_patient("1".into(), EntryKind::Fact);
    assert_eq!(a.peers_with_output(ms(10)).count(), 0);
    assert!(a.next_packet(ms(10), B).is_none());
    assert_eq!(a.lingers(ms(10)), Some(ms(11)));
    to_b.append("2".into(), EntryKind::Event);
    assert_eq!(a.next_packet(ms(10), B).unwrap().entries.len(), 2);

    to_b.append_patient("3".into(), EntryKind::Fact);
    assert_eq!(a.peers_with_output(ms(20)).count(), 0);
    assert_eq!((a.lingers(ms(20)), a.lingers(ms(21))), (Some(ms(21)), None));
    assert_eq!(a.peers_with_output(ms(21)).count(), 1);
    assert_eq!(a.next_packet(ms(21), B).unwrap().entries.len(), 1);

    to_b.append_patient("4".into(), EntryKind::Fact);
    assert!(a.next_packet(ms(30), B).is_none());
    to_a.append_urgent("asks".into(), EntryKind::Fact);
    exchange(ms(30), &mut a, &mut b);
    assert!(outputs(&mut b).contains(&"4".to_owned()), "it went with the acknowledgement");
}

#[test]
fn urgent_facts_go_out_together_when_the_ones_before_are_acknowledged() {
    let (mut a, mut b, to_b, _) = pair();
    let urgent = |n: &'static str| to_b.append_urgent(n.into(), EntryKind::Fact);
    urgent("1");
    let first = a.next_packet(ms(10), B).unwrap();
    urgent("2");
    assert!(a.next_packet(ms(10), B).is_none());
    urgent("3");
    b.receive(ms(10), first);
    let acknowledgement = b.next_packet(ms(10), A).unwrap();
    a.receive(ms(10), acknowledgement);
    assert_eq!(a.next_packet(ms(10), B).unwrap().entries.len(), 2);

    urgent("4");
    assert!(a.next_packet(ms(10), B).is_none());
    assert!(a.next_packet(ms(11), B).is_some(), "the acknowledgement does not come");
}

#[test]
fn many_entries_are_acknowledged_without_being_asked() {
    let (mut a, mut b, to_b, _) = pair();
    for _ in 0..256 {
        to_b.append("x".into(), EntryKind::Event);
    }
    exchange(ms(10), &mut a, &mut b);
    assert_eq!(to_b.acked(), 256);
    to_b.append(vec![b'x'; 128 << 10].into(), EntryKind::Event);
    exchange(ms(10), &mut a, &mut b);
    assert_eq!(to_b.acked(), 257);
}

#[test]
fn a_lost_packet_is_asked_for_when_the_next_one_comes() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("1".into(), EntryKind::Event);
    assert!(a.next_packet(ms(10), B).is_some(), "and it gets lost");
    to_b.append("2".into(), EntryKind::Event);
    exchange(ms(20), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["1", "2"]);
    let (status_a, status_b) = (a.peers(ms(20)).remove(0), b.peers(ms(20)).remove(0));
    assert_eq!((status_a.resent, status_b.gaps), (2, 1));
}

#[test]
fn a_lost_tail_shows_in_the_heartbeat() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("1".into(), EntryKind::Event);
    assert!(a.next_packet(ms(10), B).is_some(), "and it gets lost");
    exchange(ms(400), &mut a, &mut b);
    assert!(outputs(&mut b).is_empty());
    tick_both(ms(600), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["1"]);
}

#[test]
fn many_requests_for_one_gap_are_answered_once() {
    let (mut a, mut b, to_b, _) = pair();
    let mut packets = Vec::new();
    for n in 1..=5 {
        to_b.append(n.to_string().into(), EntryKind::Event);
        packets.extend(a.next_packet(ms(10), B));
    }
    // All but the first arrive, and each shows the gap.
    for packet in packets.into_iter().skip(1) {
        b.receive(ms(20), packet);
        let request = b.next_packet(ms(20), A).unwrap();
        assert!(request.header.flags.has(Flags::RESEND));
        a.receive(ms(20), request);
        while a.next_packet(ms(20), B).is_some() {} // get lost too
    }
    assert_eq!(a.peers(ms(20))[0].resent, 5);
    tick_both(ms(600), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["1", "2", "3", "4", "5"]);
}

#[test]
fn a_new_connection_carries_what_the_old_one_lost() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("1".into(), EntryKind::Event);
    assert!(a.next_packet(ms(10), B).is_some(), "and it gets lost");
    a.reconnected(B);
    exchange(ms(20), &mut a, &mut b);
    assert_eq!((outputs(&mut b), b.peers(ms(20))[0].gaps), (words(["1"]), 0));
}

#[test]
fn a_broken_stream_begins_anew_when_the_peer_is_heard() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("lost".into(), EntryKind::Event);
    a.set_blind(ms(0), true);
    for now in (0..40_000).step_by(250) {
        a.tick(ms(now));
    }
    assert!(to_b.stats().broken && outputs(&mut a).is_empty());
    assert_eq!((a.losses().events(), a.losses().broken_streams()), (1, 1));
    a.set_blind(ms(40_000), false);
    b.tick(ms(40_000)); // after a pause, so it holds nobody for dead
    let heartbeat = b.next_packet(ms(40_000), A).unwrap();
    a.receive(ms(40_000), heartbeat);
    let Some(Output::Stream { log, .. }) = a.poll_output() else { panic!("no new stream") };
    log.append("snapshot".into(), EntryKind::Snapshot);
    exchange(ms(40_000), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["restarted", "snapshot"]);
    assert!(log.epoch() > to_b.epoch());
}

#[test]
fn the_silent_die_and_come_back_as_new_peers() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("first life".into(), EntryKind::Fact);
    exchange(ms(0), &mut a, &mut b);
    outputs(&mut b);
    (0..=7).for_each(|n| b.tick(ms(n * 250)));
    assert!(outputs(&mut b).is_empty());
    b.tick(ms(2000));
    assert_eq!(outputs(&mut b), ["down 1 Silent"]);
    a.tick(ms(2000)); // after a pause
    let heartbeat = a.next_packet(ms(2000), B).unwrap();
    assert_eq!(b.receive(ms(2000), heartbeat), Received::Unknown);

    // `a` never noticed. It has to begin anew, for `b` has forgotten everything.
    b.found(ms(2000), info(A));
    let packet = b.next_packet(ms(2000), A).unwrap();
    a.receive(ms(2000), packet);
    let Some(Output::Stream { log, .. }) = a.poll_output() else { panic!("no new stream") };
    log.append("snapshot".into(), EntryKind::Snapshot);
    exchange(ms(2000), &mut a, &mut b);
    assert_eq!(to_b.append("into the old stream".into(), EntryKind::Event), None);
    assert_eq!((a.losses().events(), a.losses().broken_streams()), (1, 0));
    assert_eq!(outputs(&mut b), ["up 2", "restarted", "snapshot"]);
    b.forget(Slot(1));
    b.forget(Slot(2)); // is up, so it is not given again
    b.found(ms(2000), info(Incarnation(3)));
    b.found(ms(2000), info(Incarnation(4)));
    assert_eq!(outputs(&mut b), ["up 1", "up 3"]);
}

#[test]
fn packets_of_a_forgotten_life_bring_no_entry_again() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("once".into(), EntryKind::Event);
    let first = a.next_packet(ms(0), B).unwrap();
    b.receive(ms(0), first.clone());
    b.lost(A);
    b.found(ms(10), info(A));
    assert_eq!(outputs(&mut b), ["once", "down 1 Lost", "up 2"]);
    b.receive(ms(10), first);
    exchange(ms(10), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["restarted", "restarted"]);
}

#[test]
fn after_a_pause_of_our_own_nobody_is_dead() {
    let (mut a, ..) = pair();
    a.tick(ms(250));
    a.tick(ms(60_000));
    a.tick(ms(60_250));
    assert!(outputs(&mut a).is_empty());
    (0..8).for_each(|n| a.tick(ms(60_250 + n * 250)));
    assert_eq!(outputs(&mut a), ["down 1 Silent"]);
}

#[test]
fn the_blind_hold_nobody_for_dead() {
    let (mut a, ..) = pair();
    a.set_blind(ms(0), true);
    (0..40).for_each(|n| a.tick(ms(n * 250)));
    a.set_blind(ms(10_000), false);
    (40..48).for_each(|n| a.tick(ms(n * 250)));
    assert!(outputs(&mut a).is_empty());
    a.tick(ms(12_000));
    assert_eq!(outputs(&mut a), ["down 1 Silent"]);
}

#[test]
fn whoever_goes_says_so_after_what_was_left_to_say() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("last words".into(), EntryKind::Event);
    a.goodbye();
    assert_eq!(a.peers_with_output(ms(10)).count(), 1);
    exchange(ms(10), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["last words", "down 1 Goodbye"]);
    to_b.append("too late".into(), EntryKind::Event);
    a.tick(ms(1000));
    assert_eq!(a.peers_with_output(ms(1000)).count(), 0);
}

#[test]
fn readiness_is_told_at_once_and_only_when_it_changes() {
    let (mut a, mut b, ..) = pair();
    a.set_ready(true);
    a.set_ready(true);
    exchange(ms(10), &mut a, &mut b);
    tick_both(ms(600), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["ready true"]);
    assert!(b.peers(ms(600))[0].ready);
}

#[test]
fn a_false_acknowledgement_changes_nothing() {
    let (mut a, mut b, to_b, _) = pair();
    to_b.append("x".into(), EntryKind::Event);
    b.tick(ms(600));
    let mut packet = b.next_packet(ms(600), A).unwrap();
    for ack in [1, 2, u64::MAX] {
        packet.header.ack = ack; // nothing was transmitted yet
        packet.header.flags = Flags::RESEND;
        a.receive(ms(600), packet.clone());
    }
    assert_eq!((to_b.acked(), outputs(&mut a)), (0, words([])));
    exchange(ms(600), &mut a, &mut b);
    assert_eq!(outputs(&mut b), ["x"]);
}

/// Whoever appends wakes the driver when it sleeps: none is forgotten, whatever the timing.
#[test]
fn threads_append_while_the_driver_sleeps() {
    const EACH: u64 = 20_000;
    let (mut a, mut b, to_b, _) = pair();
    let (wake, woken) = std::sync::mpsc::channel();
    let appenders: Vec<_> = (0..4)
        .map(|_| {
            let (log, wake) = (to_b.clone(), wake.clone());
            std::thread::spawn(move || {
                for _ in 0..EACH {
                    if log.append("x".into(), EntryKind::Event).unwrap().wake {
                        wake.send(()).unwrap();
                    }
                }
            })
        })
        .collect();
    drop(wake);
    let mut entries = 0;
    while woken.recv().is_ok() {
        exchange(ms(10), &mut a, &mut b);
        entries += outputs(&mut b).len() as u64;
    }
    appenders.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(entries, 4 * EACH);
}

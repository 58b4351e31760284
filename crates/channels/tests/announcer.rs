//! What is said, by whom, and when.

use std::time::Duration;

use channels::announcer::{
    Announcer, AnnouncerSettings, NodeName, Statement, StatementKind, Subject,
};

const GRACE: Duration = Duration::from_secs(3);
const MEMORY: Duration = Duration::from_secs(3);

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn channel(name: &str) -> Subject {
    Subject { app: "app".into(), channel: name.into(), member: None }
}

fn announcer(me: NodeName, grace: Duration) -> Announcer {
    Announcer::new(me, AnnouncerSettings { grace, silence: MEMORY, memory: MEMORY, most: 1000 })
}

fn said(announcer: &mut Announcer) -> Vec<(String, StatementKind)> {
    let next = || announcer.poll();
    std::iter::from_fn(next).map(|said| (said.subject.channel.to_string(), said.turn)).collect()
}

/// Some nodes that all see the same at the same time.
struct Nodes(Vec<(NodeName, Announcer)>);

impl Nodes {
    fn new(names: &[NodeName]) -> Self {
        let mut nodes = Nodes(names.iter().map(|me| (*me, announcer(*me, GRACE))).collect());
        for name in names {
            nodes.all(|announcer| announcer.ready(*name, at(0)));
        }
        nodes
    }

    fn all(&mut self, what: impl Fn(&mut Announcer)) {
        self.0.iter_mut().for_each(|(_, announcer)| what(announcer));
    }

    fn without(&mut self, name: NodeName) {
        self.0.retain(|(me, _)| *me != name);
    }

    /// Everything that is said, with who says it.
    fn said(&mut self) -> Vec<(NodeName, Statement)> {
        let mut said = Vec::new();
        for (me, announcer) in &mut self.0 {
            said.extend(std::iter::from_fn(|| announcer.poll()).map(|statement| (*me, statement)));
        }
        said
    }

    /// The node that speaks for a channel.
    fn winner(&mut self, of: &Subject, now: Duration) -> NodeName {
        self.all(|announcer| announcer.came(of.clone(), now));
        let said = self.said();
        assert_eq!(said.len(), 1, "{said:?}");
        said[0].0
    }
}

#[test]
fn an_arrival_is_said_at_once_a_departure_after_the_grace() {
    let mut announcer = announcer(1, GRACE);
    announcer.ready(1, at(0));
    announcer.came(channel("a"), at(10));
    assert_eq!(said(&mut announcer), [("a".into(), StatementKind::Came)]);
    announcer.went(channel("a"), at(20));
    assert_eq!(announcer.deadline(), Some(at(3020)));
    announcer.tick(at(3019));
    assert_eq!(said(&mut announcer), []);
    announcer.tick(at(3020));
    assert_eq!(said(&mut announcer), [("a".into(), StatementKind::Went)]);
    assert_eq!((announcer.deadline(), announcer.waiting()), (None, (0, 0)));
}

#[test]
fn who_is_back_within_the_grace_was_never_away() {
    let mut announcer = announcer(1, GRACE);
    announcer.ready(1, at(0));
    announcer.came(channel("a"), at(0));
    said(&mut announcer);
    for round in 0..10 {
        announcer.went(channel("a"), at(round * 4000));
        announcer.came(channel("a"), at(round * 4000 + 2999));
    }
    announcer.tick(at(100_000));
    assert_eq!(said(&mut announcer), []);
    announcer.went(channel("a"), at(100_000));
    announcer.came(channel("a"), at(103_000));
    assert_eq!(
        said(&mut announcer),
        [("a".into(), StatementKind::Went), ("a".into(), StatementKind::Came)]
    );
}

#[test]
fn without_a_grace_everything_is_said_at_once() {
    let mut announcer = announcer(1, Duration::ZERO);
    announcer.ready(1, at(0));
    for now in 0..3 {
        announcer.came(channel("a"), at(now));
        announcer.went(channel("a"), at(now));
    }
    assert_eq!(said(&mut announcer).len(), 6);
}

#[test]
fn members_of_a_channel_and_the_channel_are_different_subjects_of_one_announcer() {
    let mut nodes = Nodes::new(&[1, 2, 3]);
    for number in 0..100 {
        let channel = channel(&format!("presence-{number}"));
        let member = Subject { member: Some("u".into()), ..channel.clone() };
        nodes.all(|announcer| {
            announcer.came(channel.clone(), at(1));
            announcer.came(member.clone(), at(1));
        });
        let said = nodes.said();
        assert_eq!(said.len(), 2);
        assert_eq!(said[0].0, said[1].0);
    }
}

#[test]
fn one_of_several_nodes_speaks_and_each_for_about_its_share() {
    let mut nodes = Nodes::new(&[11, 22, 33]);
    let mut shares = [0; 3];
    for number in 0..3000 {
        let winner = nodes.winner(&channel(&number.to_string()), at(1));
        shares[winner as usize / 11 - 1] += 1;
    }
    assert!(shares.iter().all(|share| (900..1100).contains(share)), "{shares:?}");
}

#[test]
fn a_departure_is_said_by_whoever_is_left_when_its_grace_is_over() {
    let mut nodes = Nodes::new(&[1, 2, 3]);
    let channel = channel("a");
    let winner = nodes.winner(&channel, at(0));
    nodes.all(|announcer| announcer.went(channel.clone(), at(1000)));
    nodes.without(winner);
    nodes.all(|announcer| announcer.dead(winner, at(900), at(3000)));
    nodes.all(|announcer| announcer.tick(at(4000)));
    let said = nodes.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].1.turn, StatementKind::Went);
}

#[test]
fn what_a_dead_node_should_have_said_after_it_was_last_heard_is_said_by_another() {
    let mut nodes = Nodes::new(&[1, 2, 3]);
    let channels: Vec<Subject> = (0..100).map(|number| channel(&number.to_string())).collect();
    let mut before = Vec::new();
    for (number, channel) in channels.iter().enumerate() {
        let now = at(100 + 10 * number as u64);
        let winner = nodes.winner(channel, now);
        before.push((winner, now));
    }
    let dead = 2;
    nodes.without(dead);
    nodes.all(|announcer| announcer.dead(dead, at(600), at(2600)));
    let expected = before.iter().filter(|(winner, now)| *winner == dead && *now >= at(600));
    let expected = expected.count();
    assert!(expected > 5);
    assert_eq!(nodes.said().len(), expected);
}

#[test]
fn who_retired_is_not_spoken_for_again_and_others_speak_from_then_on() {
    let mut nodes = Nodes::new(&[1, 2, 3]);
    let channels: Vec<Subject> = (0..50).map(|number| channel(&number.to_string())).collect();
    for channel in &channels {
        nodes.winner(channel, at(10));
    }
    nodes.all(|announcer| announcer.retired(2));
    assert_eq!(nodes.said(), []);
    for channel in &channels {
        nodes.all(|announcer| announcer.went(channel.clone(), at(20)));
    }
    nodes.all(|announcer| announcer.tick(at(3020)));
    let said = nodes.said();
    assert_eq!(said.len(), channels.len());
    assert!(said.iter().all(|(by, _)| *by != 2));
}

#[test]
fn a_node_says_nothing_of_what_was_so_before_it_was_ready() {
    let mut newcomer = announcer(4, GRACE);
    newcomer.came(channel("before anybody is known"), at(0));
    newcomer.ready(1, at(1));
    for number in 0..100 {
        newcomer.came(channel(&number.to_string()), at(2));
        newcomer.went(channel(&number.to_string()), at(3));
    }
    newcomer.ready(4, at(10));
    newcomer.tick(at(5000));
    assert_eq!(said(&mut newcomer), []);
    for number in 100..200 {
        newcomer.came(channel(&number.to_string()), at(5000));
    }
    let spoken = said(&mut newcomer).len();
    assert!((25..75).contains(&spoken), "{spoken}");
}

#[test]
fn a_newcomer_does_not_say_that_somebody_came_who_was_away_while_it_started() {
    let mut nodes = Nodes::new(&[1, 2]);
    let channels: Vec<Subject> = (0..100).map(|number| channel(&number.to_string())).collect();
    for channel in &channels {
        nodes.winner(channel, at(10_000));
        nodes.all(|announcer| announcer.went(channel.clone(), at(20_000)));
    }
    // A third node starts. It knows for how long the others have been ready.
    let mut newcomer = announcer(3, GRACE);
    for old in [1, 2] {
        newcomer.ready(old, at(20_500));
        newcomer.ready(old, at(0));
    }
    nodes.0.push((3, newcomer));
    nodes.all(|announcer| announcer.ready(3, at(20_500)));
    for channel in &channels {
        nodes.all(|announcer| announcer.came(channel.clone(), at(21_000)));
    }
    assert_eq!(nodes.said(), []);
    // Once it has been there for a grace, it speaks for its share.
    for number in 100..200 {
        nodes.winner(&channel(&number.to_string()), at(23_500));
    }
    for number in 200..300 {
        nodes.all(|announcer| announcer.came(channel(&number.to_string()), at(30_000)));
    }
    let said = nodes.said();
    assert_eq!(said.len(), 100);
    assert!(said.iter().any(|(by, _)| *by == 3));
}

#[test]
fn the_last_node_says_departures_before_it_goes_one_of_several_leaves_them_to_the_others() {
    let mut last = announcer(1, GRACE);
    last.ready(1, at(0));
    last.went(channel("a"), at(10));
    last.close(at(20));
    assert_eq!(said(&mut last), [("a".into(), StatementKind::Went)]);

    let mut one_of_two = announcer(1, GRACE);
    one_of_two.ready(1, at(0));
    one_of_two.ready(2, at(0));
    one_of_two.went(channel("a"), at(10));
    one_of_two.close(at(20));
    assert_eq!(said(&mut one_of_two), []);
}

#[test]
fn the_last_node_goes_on_speaking_while_it_is_on_its_way_out() {
    let mut last = announcer(1, GRACE);
    last.ready(1, at(0));
    last.ready(2, at(0));
    last.retired(2);
    last.retired(1);
    last.came(channel("a"), at(10));
    assert_eq!(said(&mut last), [("a".into(), StatementKind::Came)]);
}

#[test]
fn nothing_grows_without_bound() {
    let settings = AnnouncerSettings { grace: GRACE, silence: MEMORY, memory: MEMORY, most: 10 };
    let mut announcer = Announcer::new(1, settings);
    announcer.ready(1, at(0));
    for number in 0..100 {
        announcer.went(channel(&number.to_string()), at(0));
    }
    assert_eq!((announcer.waiting().0, said(&mut announcer).len()), (10, 90));

    announcer.ready(2, at(1));
    for number in 0..100 {
        announcer.came(channel(&number.to_string()), at(1));
    }
    assert!(announcer.waiting().1 <= 10);
    announcer.tick(at(10_000));
    assert_eq!(announcer.waiting(), (0, 0));

    for _ in 0..100_000 {
        announcer.went(channel("a"), at(10_001));
        announcer.came(channel("a"), at(10_001));
    }
    assert_eq!(announcer.waiting(), (0, 0));
    assert!(announcer.deadline().is_none_or(|deadline| deadline <= at(13_001)));
}

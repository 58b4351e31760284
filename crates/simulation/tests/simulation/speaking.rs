//! What backends are told: by exactly one node, in turns, and the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use channels::announcer::{AnnouncerSettings, Statement, StatementKind, Subject};
use channels::{Note, Origin};
use cluster::Now;

use crate::Channel;
use crate::ledger::Ledger;
use crate::node::Node;
use crate::world::World;

/// The grace ends before a run does.
pub(crate) const SETTINGS: AnnouncerSettings = AnnouncerSettings {
    grace: Duration::from_millis(700),
    silence: MEMORY,
    memory: MEMORY,
    most: 100_000,
};
const MEMORY: Duration = Duration::from_secs(3);
/// After a change of membership nodes may disagree for so long who speaks: until the grace of the
/// last one to join is over for all, who do not see the same at the same time.
pub(crate) const SETTLES: Duration = Duration::from_millis(700 + 400);

/// What was said by all nodes.
#[derive(Default)]
pub(crate) struct Statements {
    /// What was said last about each subject, as far as it is certain.
    last: BTreeMap<Subject, StatementKind>,
    /// When membership changed last, or a node heard of it.
    unsettled: Now,
}

/// What has come and not gone, as one node knows it.
#[derive(Default)]
pub(crate) struct Occupied(BTreeSet<Subject>);

impl Occupied {
    fn hear(&mut self, note: &Note) {
        match note {
            Note::Came(subject) => {
                assert!(self.0.insert(subject.clone()), "{subject:?} comes and is there");
            }
            Note::Went(subject) => assert!(self.0.remove(subject), "{subject:?} goes and is away"),
            _ => {}
        }
    }

    /// Whether a channel is occupied, or somebody is a member.
    pub(crate) fn contains(&self, app: &str, channel: &Channel, member: Option<&str>) -> bool {
        let subject =
            Subject { app: app.into(), channel: channel.clone(), member: member.map(Into::into) };
        self.0.contains(&subject)
    }

    /// How many channels and members there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Node {
    /// The announcer hears what was noted, as in the server.
    pub(crate) fn hear_notes(&mut self, now: Now, ledger: &mut Ledger) {
        for note in self.channels.runtime().notes() {
            self.occupied.hear(&note);
            match self.announcer.take(note, now) {
                None | Some(Note::Counted(..)) => {}
                Some(Note::Missed(subject, origin)) => {
                    self.hear_miss(now, &subject, origin, ledger);
                }
                Some(note) => panic!("nobody has asked for {note:?}"),
            }
        }
    }

    /// Somebody found a cache channel empty: whoever speaks for the channel says so.
    fn hear_miss(&mut self, now: Now, subject: &Subject, origin: Origin, ledger: &mut Ledger) {
        match self.announcer.announcer_of(subject, now) {
            Some(other) if other != self.me().0 && origin == Origin::Here => {
                self.channels.send_miss(other, &subject.app, &subject.channel);
            }
            _ => ledger.summary.misses += u64::from(self.missed.is_news(subject, now)),
        }
    }
}

impl Statements {
    /// When nodes disagreed last on who is there.
    pub(crate) fn unsettled(&self) -> Now {
        self.unsettled
    }

    /// Nodes need not agree who speaks.
    pub(crate) fn unsettle(&mut self, now: Now) {
        self.unsettled = now;
        self.last.clear();
    }

    /// Checks that what is said is news. False if membership was not stable enough to know.
    fn hear(&mut self, statement: Statement, strict: bool) -> bool {
        let Statement { subject, turn, at } = statement;
        if at <= self.unsettled + SETTLES {
            self.last.remove(&subject);
            return false;
        }
        let last = self.last.insert(subject.clone(), turn);
        assert!(!strict || last != Some(turn), "{subject:?}: {turn:?} is said twice");
        true
    }

    /// Checks that what was said last is so.
    pub(crate) fn check_end(&self, is_there: impl Fn(&Channel, Option<&str>) -> bool) {
        for (subject, turn) in &self.last {
            let there = is_there(&subject.channel, subject.member.as_deref());
            assert_eq!(there, *turn == StatementKind::Came, "{subject:?}: {turn:?} was said last");
        }
    }
}

impl World {
    /// Whether all nodes serve, and know it of each other.
    fn agrees(&self) -> bool {
        let others = self.places.len() - 1;
        self.places.iter().all(|place| {
            place
                .node
                .as_ref()
                .is_some_and(|node| node.serves && node.channels.ready_peers() == others)
        })
    }

    /// One node says what it has to say.
    pub(crate) fn speak(&mut self, at: usize) {
        let (now, strict) = (self.time(), self.ledger.strict);
        if !self.agrees() {
            self.ledger.statements.unsettle(now);
        }
        let node = self.places[at].node.as_mut().unwrap();
        node.announcer.tick(now);
        while let Some(statement) = node.announcer.poll() {
            let checked = self.ledger.statements.hear(statement, strict);
            self.ledger.summary.statements += u64::from(checked);
        }
    }
}

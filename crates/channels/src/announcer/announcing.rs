//! One node's part in telling backends what happens: which of it is this node's to announce.

use std::collections::VecDeque;
use std::time::Duration;

use crate::announcer::candidates::Candidates;
use crate::announcer::grace::Grace;
use crate::announcer::memory::Memory;
use crate::announcer::{NodeName, Note, Statement, StatementKind, Subject};

/// How sure an announcer has to be.
#[derive(Clone, Debug)]
pub struct AnnouncerSettings {
    /// How long after a departure it may still turn out to have been none; zero is allowed.
    pub grace: Duration,
    /// For how long a node was not heard when it is known to be dead.
    pub silence: Duration,
    /// How long it may take until a node is known to be dead.
    pub memory: Duration,
    /// The most departures that wait, and the most statements of others that are remembered.
    /// Beyond it a departure is said at once, and the oldest of others' statements is forgotten.
    pub most: usize,
}

/// Owned by one task; its inputs come in the order in which things happened.
#[derive(Debug)]
pub struct Announcer {
    me: NodeName,
    settings: AnnouncerSettings,
    candidates: Candidates,
    grace: Grace,
    memory: Memory,
    statements: VecDeque<Statement>,
}

impl Announcer {
    /// Nobody is ready yet, this node neither.
    pub fn new(me: NodeName, settings: AnnouncerSettings) -> Self {
        Announcer {
            me,
            candidates: Candidates::default(),
            grace: Grace::default(),
            memory: Memory::new(settings.memory, settings.most),
            statements: VecDeque::new(),
            settings,
        }
    }

    /// Takes in what was noted; gives back what concerns no turn and no node.
    pub fn take(&mut self, note: Note, now: Duration) -> Option<Note> {
        match note {
            Note::Came(subject) => self.came(subject, now),
            Note::Went(subject) => self.went(subject, now),
            Note::Ready(node, ago) => self.ready(node, now.saturating_sub(ago)),
            Note::Retired(node) => self.retired(node),
            Note::Dead(node) => self.dead(node, now.saturating_sub(self.settings.silence), now),
            Note::Counted(..) | Note::Missed(..) | Note::ClientEvent(..) => return Some(note),
        }
        None
    }

    /// A node has been ready since a time: it knew everything then, and has seen what happened
    /// since. May be told again if it turns out that it has been for longer.
    pub fn ready(&mut self, node: NodeName, since: Duration) {
        self.candidates.join(node, since);
    }

    /// A node no longer announces anything, and has said what was its to say. If it is this one and nobody else is
    /// ready, it goes on until it is [closed](Self::close).
    pub fn retired(&mut self, node: NodeName) {
        if node != self.me || !self.candidates.has_only(self.me) {
            self.candidates.leave(node);
        }
    }

    /// Who announces what happens to a subject at this moment.
    pub fn announcer_of(&self, subject: &Subject, now: Duration) -> Option<NodeName> {
        self.candidates.announcer_of(subject, now, self.settings.grace)
    }

    /// A node is dead, and was last heard at a time: what it should have said since is said by
    /// somebody else.
    pub fn dead(&mut self, node: NodeName, heard: Duration, now: Duration) {
        self.candidates.leave(node);
        for statement in self.memory.take(node, heard) {
            self.state(statement, now);
        }
    }

    /// A channel is occupied, a member was added.
    pub fn came(&mut self, subject: Subject, now: Duration) {
        self.tick(now);
        if !self.grace.cancel(&subject) {
            self.state(Statement { subject, turn: StatementKind::Came, at: now }, now);
        }
    }

    /// A channel is vacated, a member was removed.
    pub fn went(&mut self, subject: Subject, now: Duration) {
        self.tick(now);
        if self.settings.grace.is_zero() || self.grace.len() >= self.settings.most {
            self.state(Statement { subject, turn: StatementKind::Went, at: now }, now);
        } else {
            self.grace.begin(subject, now);
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        let until = now.checked_sub(self.settings.grace);
        while let Some((subject, at)) = until.and_then(|until| self.grace.end(until)) {
            self.state(Statement { subject, turn: StatementKind::Went, at }, now);
        }
        self.memory.forget(now);
    }

    /// When [`tick`](Self::tick) has something to do next.
    pub fn deadline(&self) -> Option<Duration> {
        self.grace.first().map(|first| first + self.settings.grace)
    }

    /// This node goes. Departures that wait are said now if nobody else is there to wait for their
    /// end; otherwise that is the others' to do.
    pub fn close(&mut self, now: Duration) {
        let alone = self.candidates.has_only(self.me);
        while let Some((subject, at)) = self.grace.end(now) {
            if alone {
                self.statements.push_back(Statement { subject, turn: StatementKind::Went, at });
            }
        }
    }

    /// What this node has to say next.
    pub fn poll(&mut self) -> Option<Statement> {
        self.statements.pop_front()
    }

    /// How many departures wait, and how many statements of others are remembered.
    pub fn waiting(&self) -> (usize, usize) {
        (self.grace.len(), self.memory.len())
    }

    fn state(&mut self, statement: Statement, now: Duration) {
        match self.candidates.announcer_of(&statement.subject, statement.at, self.settings.grace) {
            Some(announcer) if announcer == self.me => self.statements.push_back(statement),
            Some(announcer) => self.memory.keep(announcer, now, statement),
            // Before anybody is ready nothing has happened that is not known from elsewhere.
            None => {}
        }
    }
}

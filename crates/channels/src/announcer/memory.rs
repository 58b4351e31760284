//! What others announce, as long as it may turn out that they were dead already.

use std::collections::VecDeque;
use std::time::Duration;

use crate::announcer::{NodeName, Statement};

/// Owned by one announcer; bounded in time and number.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Who announces it, when it was due, and what it is; in the order of time.
    left: VecDeque<(NodeName, Duration, Statement)>,
    lasts: Duration,
    most: usize,
}

impl Memory {
    pub(crate) fn new(lasts: Duration, most: usize) -> Self {
        Memory { left: VecDeque::new(), lasts, most }
    }

    /// Leaves a statement to another node.
    pub(crate) fn keep(&mut self, announcer: NodeName, now: Duration, statement: Statement) {
        self.forget(now);
        if self.left.len() == self.most {
            self.left.pop_front();
        }
        self.left.push_back((announcer, now, statement));
    }

    /// What was left to a node after it was last heard.
    pub(crate) fn take(&mut self, of: NodeName, heard: Duration) -> Vec<Statement> {
        let (taken, left) =
            self.left.drain(..).partition(|(announcer, at, _)| *announcer == of && *at >= heard);
        self.left = left;
        let taken: VecDeque<(NodeName, Duration, Statement)> = taken;
        taken.into_iter().map(|(.., statement)| statement).collect()
    }

    /// Drops what is so old that its announcer must have said it.
    pub(crate) fn forget(&mut self, now: Duration) {
        let old = |(_, at, _): &(NodeName, Duration, Statement)| *at + self.lasts < now;
        while self.left.front().is_some_and(old) {
            self.left.pop_front();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }
}

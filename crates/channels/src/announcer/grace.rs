//! Departures that are not sure yet: whoever is back within the grace was never away (K4).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::announcer::Subject;

/// Owned by one announcer.
#[derive(Debug, Default)]
pub(crate) struct Grace {
    /// When each of them went.
    gone: HashMap<Subject, Duration>,
    /// The same in the order of time; entries of those who are back are skipped.
    order: VecDeque<(Duration, Subject)>,
}

impl Grace {
    /// A subject went.
    pub(crate) fn begin(&mut self, subject: Subject, now: Duration) {
        self.order.push_back((now, subject.clone()));
        self.gone.insert(subject, now);
    }

    /// A subject came: whether it had only been away for a moment.
    pub(crate) fn cancel(&mut self, subject: &Subject) -> bool {
        let was_gone = self.gone.remove(subject).is_some();
        if was_gone && self.order.len() > 2 * self.gone.len() + 1024 {
            // What keeps coming and going must not fill the order.
            let Grace { gone, order } = self;
            order.retain(|(at, subject)| gone.get(subject) == Some(at));
        }
        was_gone
    }

    /// The first that went at a time or before, and when.
    pub(crate) fn end(&mut self, until: Duration) -> Option<(Subject, Duration)> {
        while self.order.front()?.0 <= until {
            let (at, subject) = self.order.pop_front()?;
            if self.gone.get(&subject) == Some(&at) {
                self.gone.remove(&subject);
                return Some((subject, at));
            }
        }
        None
    }

    /// When the first of them went; may be too early, never too late.
    pub(crate) fn first(&self) -> Option<Duration> {
        self.order.front().map(|(at, _)| *at)
    }

    pub(crate) fn len(&self) -> usize {
        self.gone.len()
    }
}

//! Names that the store does not have, remembered for a while, so that whoever comes back with a
//! wrong key asks nobody. Times are milliseconds.

use std::collections::{HashSet, VecDeque};

use foldhash::quality::RandomState;

use super::pending::Name;

/// For how long a name is remembered.
const HOLDS: u64 = 5000;
/// How many names are remembered.
const MAX_NAMES: usize = 10_000;

/// The names, oldest first.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    names: HashSet<Name, RandomState>,
    line: VecDeque<(u64, Name)>,
}

impl Unknown {
    /// The store does not have it; `now` never decreases.
    pub(super) fn remember(&mut self, name: Name, now: u64) {
        self.expire(now);
        if self.names.insert(name.clone()) {
            self.line.push_back((now, name));
        }
        while self.line.len() > MAX_NAMES {
            self.forget_oldest();
        }
    }

    /// Whether it is known not to be there.
    pub(super) fn contains(&mut self, name: &Name, now: u64) -> bool {
        self.expire(now);
        self.names.contains(name)
    }

    /// It is there after all.
    pub(super) fn forget(&mut self, name: &Name) {
        if self.names.remove(name) {
            self.line.retain(|(_, other)| other != name);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    fn expire(&mut self, now: u64) {
        while self.line.front().is_some_and(|(since, _)| now >= since + HOLDS) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, name)) = self.line.pop_front() {
            self.names.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Name {
        Name::Key(number.to_string())
    }

    #[test]
    fn a_name_is_remembered_for_a_while() {
        let mut unknown = Unknown::default();
        unknown.remember(key(1), 100);
        unknown.remember(key(1), 3000);
        assert!(unknown.contains(&key(1), 5099));
        assert!(!unknown.contains(&Name::Id("1".into()), 200), "it was a key");
        assert!(!unknown.contains(&key(1), 5100));
        assert_eq!((unknown.names.len(), unknown.line.len()), (0, 0));
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut unknown = Unknown::default();
        (0..=MAX_NAMES).for_each(|number| unknown.remember(key(number), 0));
        assert_eq!((unknown.len(), unknown.line.len()), (MAX_NAMES, MAX_NAMES));
        assert!(!unknown.contains(&key(0), 0));
        assert!(unknown.contains(&key(MAX_NAMES), 0));
    }

    #[test]
    fn what_is_there_after_all_is_forgotten() {
        let mut unknown = Unknown::default();
        unknown.remember(key(1), 0);
        unknown.forget(&key(1));
        assert!(!unknown.contains(&key(1), 0));
        unknown.remember(key(1), 4000);
        assert!(unknown.contains(&key(1), 6000), "it was remembered anew");
    }
}

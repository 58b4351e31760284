//! Who waits for which app: every name once, however many ask for it; those that are known already
//! apart from those that may be anybody's invention. It must not know the store, and keeps no time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use app_stores::Wanted;
use foldhash::quality::RandomState;
use tokio::sync::watch;

use super::App;
use super::unknown::Unknown;

/// How many names that are not known may wait.
const MAX_UNKNOWN: usize = 10_000;
/// The longest id or key of an app in a store, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// What an app is looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By<'a> {
    /// Its id, as backends name it.
    Id(&'a str),
    /// Its key, as clients name it.
    Key(&'a str),
}

impl By<'_> {
    /// Whether a store may have such an id or key: printable ASCII of no great length. Databases
    /// differ in what they make of anything else, some fail, and everybody else's question would
    /// fail along with it.
    pub(super) fn is_legal(self) -> bool {
        let (By::Id(text) | By::Key(text)) = self;
        (1..=MAX_NAME_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    }

    pub(super) fn to_name(self) -> Name {
        match self {
            By::Id(id) => Name::Id(id.to_owned()),
            By::Key(key) => Name::Key(key.to_owned()),
        }
    }
}

/// The same, for longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Id(String),
    Key(String),
}

impl Name {
    pub(super) fn by(&self) -> By<'_> {
        match self {
            Name::Id(id) => By::Id(id),
            Name::Key(key) => By::Key(key),
        }
    }
}

/// What became of a name.
#[derive(Clone, Debug)]
pub(super) enum LookupOutcome {
    Found(Arc<App>),
    Unknown,
    /// The store cannot be asked.
    Unavailable,
}

/// Comes when it is there; none is there yet.
pub(super) type PendingAnswer = watch::Receiver<Option<LookupOutcome>>;

/// Too many names wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// Owned by the node's look-ups, behind their lock.
#[derive(Debug, Default)]
pub(super) struct PendingLookups {
    /// Everybody who waits; also for names that the store has been asked for, so that whoever
    /// comes meanwhile shares the answer.
    waiting: HashMap<Name, watch::Sender<Option<LookupOutcome>>, RandomState>,
    /// Names to ask for, of apps that are known. There are no more than apps.
    known: VecDeque<Name>,
    /// Names to ask for that may or may not be there.
    strange: VecDeque<Name>,
    /// Names that are not there.
    pub(super) unknown: Unknown,
}

impl PendingLookups {
    /// Somebody asks.
    pub(super) fn ask(&mut self, name: Name, known: bool) -> Result<PendingAnswer, Overflow> {
        if let Some(answer) = self.waiting.get(&name) {
            return Ok(answer.subscribe());
        }
        let line = if known { &mut self.known } else { &mut self.strange };
        if !known && line.len() >= MAX_UNKNOWN {
            return Err(Overflow);
        }
        line.push_back(name.clone());
        let (answer, waits) = watch::channel(None);
        self.waiting.insert(name, answer);
        Ok(waits)
    }

    /// Whether the store has to be asked.
    pub(super) fn is_waited_for(&self) -> bool {
        !self.known.is_empty() || !self.strange.is_empty()
    }

    /// How many names wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What to ask for next, about `most` ids and keys. Both lines move: neither can a flood of
    /// invented names keep known apps waiting, nor many known apps a new one. `id_of` says which
    /// app is known to have a key: it is asked for too, for it may have another key now.
    pub(super) fn next(
        &mut self,
        most: usize,
        id_of: impl Fn(&str) -> Option<String>,
    ) -> (Vec<Name>, Wanted) {
        let mut names = Vec::new();
        let mut wanted = Wanted::default();
        let mut strange_first = false;
        // An app that is known by its key takes two places.
        while wanted.ids.len() + wanted.keys.len() + 1 < most.max(2) {
            strange_first = !strange_first;
            let lines = match strange_first {
                true => [&mut self.strange, &mut self.known],
                false => [&mut self.known, &mut self.strange],
            };
            let Some(name) = lines.into_iter().find_map(VecDeque::pop_front) else { break };
            match &name {
                Name::Id(id) => wanted.ids.push(id.clone()),
                Name::Key(key) => {
                    wanted.keys.push(key.clone());
                    wanted.ids.extend(id_of(key));
                }
            }
            names.push(name);
        }
        wanted.ids.sort_unstable();
        wanted.ids.dedup();
        (names, wanted)
    }

    /// Answers those who wait for so many names.
    pub(super) fn answer(&mut self, names: &[Name], outcome: impl Fn(&Name) -> LookupOutcome) {
        for name in names {
            if let Some(waiting) = self.waiting.remove(name) {
                waiting.send_replace(Some(outcome(name)));
            }
        }
    }

    /// Answers everybody who waits, whether the store has been asked for it or not.
    pub(super) fn answer_all(&mut self, outcome: impl Fn(&Name) -> LookupOutcome) {
        self.known.clear();
        self.strange.clear();
        for (name, waiting) in self.waiting.drain() {
            waiting.send_replace(Some(outcome(&name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: impl ToString) -> Name {
        Name::Key(text.to_string())
    }

    fn nobody(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_name_that_many_ask_for_is_asked_for_once() {
        let mut pending = PendingLookups::default();
        let first = pending.ask(key("a"), false).unwrap();
        let second = pending.ask(key("a"), false).unwrap();
        let (names, wanted) = pending.next(10, nobody);
        assert_eq!(wanted, Wanted { ids: vec![], keys: vec!["a".into()] });
        let third = pending.ask(key("a"), false).unwrap();
        assert!(!pending.is_waited_for(), "it has been asked for");
        pending.answer(&names, |_| LookupOutcome::Unknown);
        for answer in [first, second, third] {
            assert!(matches!(*answer.borrow(), Some(LookupOutcome::Unknown)));
        }
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn both_lines_move() {
        let mut pending = PendingLookups::default();
        for number in 0..10 {
            let _ = pending.ask(key(format!("strange-{number}")), false);
            let _ = pending.ask(Name::Id(format!("known-{number}")), true);
        }
        let (names, wanted) = pending.next(5, nobody);
        assert_eq!(names.len(), 4);
        assert_eq!((wanted.ids.len(), wanted.keys.len()), (2, 2));
        let (names, _) = pending.next(100, nobody);
        assert_eq!(names.len(), 16, "what one line does not need is the other's");
        assert!(!pending.is_waited_for());
    }

    #[test]
    fn a_known_key_is_asked_for_together_with_its_app() {
        let mut pending = PendingLookups::default();
        let _ = pending.ask(key("k1"), true);
        let _ = pending.ask(Name::Id("1".into()), true);
        let (_, wanted) = pending.next(10, |key| (key == "k1").then(|| "1".into()));
        assert_eq!(wanted, Wanted { ids: vec!["1".into()], keys: vec!["k1".into()] });
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let mut pending = PendingLookups::default();
        for number in 0..MAX_UNKNOWN {
            assert!(pending.ask(key(number), false).is_ok());
        }
        assert_eq!(pending.ask(key("one too many"), false).err(), Some(Overflow));
        assert!(pending.ask(key(0), false).is_ok(), "it waits already");
        assert!(pending.ask(key("known"), true).is_ok());
        pending.answer_all(|_| LookupOutcome::Unavailable);
        assert_eq!(pending.len(), 0);
        assert!(!pending.is_waited_for());
    }

    #[test]
    fn what_no_store_can_have_is_not_legal() {
        assert!(By::Key("278d425bdf160c739803").is_legal());
        assert!(By::Id(&"x".repeat(200)).is_legal());
        for text in ["", &"x".repeat(201), "a b", "a\0b", "schl\u{fc}ssel", "a\n"] {
            assert!(!By::Id(text).is_legal(), "{text:?}");
        }
    }
}

//! Asks the store, on the background runtime: the first question at once, and what is asked for
//! while one is under way or within 20 ms goes along with the next one. It must not know who asks.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use app_stores::{AppStore, Broken, Found, StoreError, Wanted};
use failures::LogThrottle;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until, timeout};

use super::finding::Apps;
use super::freshness::Due;
use super::lookups::Lookups;
use super::pending::{By, LookupOutcome, Name};
use super::table::AppTable;
use super::{App, Gone};

/// The least time between the beginnings of two questions: never more than 50 per second.
const PACE: Duration = Duration::from_millis(20);
/// The pause after a question without an answer.
const RETRY: Duration = Duration::from_millis(500);
/// How long one question may take. Stores keep to it by themselves.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// How many apps are known at most beside those that have connections.
const MAX_APPS: usize = 100_000;
/// The id that is asked for to see whether the store is there, when nobody asks for another one.
const PROBE: &str = "probe";

static BROKEN: LogThrottle = LogThrottle::new();

/// Asks until the runtime ends. `close` is called with every app whose connections have to be
/// closed.
pub(crate) async fn look_up_in(apps: &Apps, store: Arc<dyn AppStore>, close: impl Fn(Gone)) {
    let Some(lookups) = &apps.lookups else { return };
    let loader = Loader { table: &apps.table, lookups, store };
    let mut not_before = Instant::now();
    let mut looks = tokio::time::interval(lookups.policy.look_every());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            // The first one comes at once, so the store is tried before anybody asks.
            _ = looks.tick() => loader.keep_house(lookups.now()),
            () = loader.is_asked() => {}
        }
        sleep_until(not_before).await;
        if !lookups.up.load(Relaxed) || lookups.pending().is_waited_for() {
            let began = Instant::now();
            let (answered, gone) = loader.ask(began).await;
            gone.into_iter().for_each(&close);
            not_before = if answered { began + PACE } else { Instant::now() + RETRY };
        }
    }
}

struct Loader<'a> {
    table: &'a AppTable,
    lookups: &'a Lookups,
    store: Arc<dyn AppStore>,
}

impl Loader<'_> {
    /// Resolves when somebody waits.
    async fn is_asked(&self) {
        let is_waited_for = || self.lookups.pending().is_waited_for();
        while !is_waited_for() {
            self.lookups.asked.notified().await;
        }
    }

    /// Has apps looked up again that expire soon, and forgets those that nobody uses.
    fn keep_house(&self, now: u64) {
        let apps = self.table.found();
        let policy = &self.lookups.policy;
        let anew = self.lookups.anew.swap(false, Relaxed);
        let due: Vec<Due> = apps.iter().map(|app| policy.is_due(app, now)).collect();
        if anew || due.contains(&Due::Now) {
            let mut pending = self.lookups.pending();
            for (app, due) in apps.iter().zip(due) {
                if anew || due != Due::No {
                    // Nobody waits for the answer.
                    drop(pending.ask(Name::Id(app.id.to_string()), true));
                }
            }
        }
        let forgotten = self.forgotten(&apps, now);
        if !forgotten.is_empty() {
            self.table.change(|change| {
                for app in forgotten {
                    change.part(&app.id);
                }
            });
        }
    }

    /// Apps that nobody uses, and if there are too many, those that were not asked for for longest.
    fn forgotten<'a>(&self, apps: &'a [Arc<App>], now: u64) -> Vec<&'a Arc<App>> {
        let (lookups, too_many) = (self.lookups, apps.len().saturating_sub(MAX_APPS));
        if too_many > 0 {
            let mut unused: Vec<_> = apps.iter().filter(|app| app.connections() == 0).collect();
            unused.sort_by_key(|app| app.freshness.asked());
            unused.truncate(too_many);
            return unused;
        }
        if lookups.is_away() {
            return Vec::new();
        }
        apps.iter().filter(|app| lookups.policy.is_idle(app, now)).collect()
    }

    /// Asks for what is waited for. Returns whether there was an answer, and whose connections
    /// have to be closed.
    async fn ask(&self, began: Instant) -> (bool, Vec<Gone>) {
        let id_of = |key: &str| self.table.find(By::Key(key)).map(|app| app.id.to_string());
        let (names, mut wanted) = self.lookups.pending().next(self.store.batch(), id_of);
        if names.is_empty() {
            wanted.ids.push(PROBE.into());
        }
        let wanted = Arc::new(wanted);
        let answer = self.question(wanted.clone()).await;
        let counts = &self.lookups.counts;
        counts.queries.fetch_add(1, Relaxed);
        counts.nanos.fetch_add(began.elapsed().as_nanos() as u64, Relaxed);
        match answer {
            Ok(found) => {
                let gone = self.learn(&wanted, found, self.lookups.millis(began));
                self.lookups.pending().answer(&names, |name| self.outcome(name));
                self.is_up();
                (true, gone)
            }
            Err(error) => {
                counts.failures.fetch_add(1, Relaxed);
                self.is_down(&error);
                self.lookups.pending().answer_all(|_| LookupOutcome::Unavailable);
                (false, Vec::new())
            }
        }
    }

    /// One question, in a task of its own: a bug in a driver ends no more than that.
    async fn question(&self, wanted: Arc<Wanted>) -> Result<Found, StoreError> {
        let (store, name) = (self.store.clone(), self.lookups.store);
        let mut task = JoinSet::new();
        task.spawn(async move { store.find(&wanted).await });
        match timeout(LOOKUP_TIMEOUT, task.join_next()).await {
            Ok(Some(Ok(answer))) => answer,
            Ok(Some(Err(bug))) => {
                Err(StoreError::Failed { store: name, error: format!("a bug: {bug}") })
            }
            Ok(None) | Err(_) => Err(StoreError::TimedOut { store: name, after: LOOKUP_TIMEOUT }),
        }
    }

    /// Takes over what the store had at that time.
    fn learn(&self, wanted: &Wanted, found: Found, seen: u64) -> Vec<Gone> {
        let Found { mut apps, broken } = found;
        // What nobody asked for by that very name is not an answer: databases find `1` for `01`,
        // and `a` for `A`.
        let (ids, keys): (HashSet<&str>, HashSet<&str>) = (
            wanted.ids.iter().map(String::as_str).collect(),
            wanted.keys.iter().map(String::as_str).collect(),
        );
        apps.retain(|app| ids.contains(&*app.id) || keys.contains(&*app.key));
        apps.sort_by(|a, b| a.id.cmp(&b.id));
        apps.dedup_by(|a, b| a.id == b.id);
        if !broken.is_empty() && BROKEN.may_log() {
            for Broken { id, key, error } in &broken {
                tracing::error!(store = self.lookups.store, id, key, "an app is broken: {error}");
            }
        }
        // One that cannot be read stays as it was.
        let there: HashSet<String> = apps
            .iter()
            .map(|app| app.id.clone())
            .chain(broken.into_iter().map(|broken| broken.id))
            .collect();
        let gone = self.table.change(|change| {
            let absent = wanted.ids.iter().filter(|id| !there.contains(*id));
            absent.for_each(|id| change.remove(id));
            change.put(apps);
        });
        for id in &there {
            if let Some(app) = self.table.find(By::Id(id)) {
                app.freshness.see(seen);
            }
        }
        self.remember(wanted, &there);
        gone
    }

    /// Remembers what is not there, and forgets that something was not there.
    fn remember(&self, wanted: &Wanted, there: &HashSet<String>) {
        let now = self.lookups.now();
        let mut pending = self.lookups.pending();
        for app in there.iter().filter_map(|id| self.table.find(By::Id(id))) {
            pending.unknown.forget(&Name::Id(app.id.to_string()));
            pending.unknown.forget(&Name::Key(app.settings.load().config.key.clone()));
        }
        let ids = wanted.ids.iter().map(|id| By::Id(id));
        for by in ids.chain(wanted.keys.iter().map(|key| By::Key(key))) {
            if self.table.find(by).is_none() {
                pending.unknown.remember(by.to_name(), now);
            }
        }
    }

    fn outcome(&self, name: &Name) -> LookupOutcome {
        self.table.find(name.by()).map_or(LookupOutcome::Unknown, LookupOutcome::Found)
    }

    fn is_up(&self) {
        let Lookups { store, reached, up, .. } = self.lookups;
        let (reached, up) = (reached.swap(true, Relaxed), up.swap(true, Relaxed));
        if !up {
            tracing::info!(store, "apps are looked up {}", if reached { "again" } else { "there" });
        }
    }

    fn is_down(&self, error: &StoreError) {
        let Lookups { store, reached, up, counts, .. } = self.lookups;
        let first = !reached.load(Relaxed) && counts.failures.load(Relaxed) == 1;
        if up.swap(false, Relaxed) || first {
            tracing::error!(
                store, %error,
                "apps cannot be looked up: those that are known go on, others are told to try again"
            );
        }
    }
}

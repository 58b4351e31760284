//! Finding an app by its id or key, for all threads: at once if it is known, else by waiting for the
//! store.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use channels::registry::NodeId;
use config::{AppConfig, AppManager};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::freshness::Policy;
use super::lookups::{LookupNumbers, Lookups};
use super::pending::{By, LookupOutcome, Overflow, PendingAnswer};
use super::table::AppTable;
use super::withdrawn::Withdrawn;
use super::{App, Gone};

/// How long somebody waits for an app.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The apps of this node.
#[derive(Debug)]
pub(crate) struct Apps {
    pub(super) table: AppTable,
    /// None if all apps are known.
    pub(super) lookups: Option<Lookups>,
    /// Of apps in the configuration.
    withdrawn: Mutex<Withdrawn>,
}

/// What is known at once about an app that somebody asks for.
pub(crate) enum Asked {
    /// It may still be disabled.
    Known(Arc<App>),
    /// It does not exist.
    Unknown,
    /// The store cannot be asked.
    Unavailable,
    /// The store is asked: see [`Apps::answer`].
    Pending(PendingApp),
}

/// A look-up that is under way. Dropped, it costs nobody anything.
pub(crate) struct PendingApp {
    answer: PendingAnswer,
    /// What is known of the app, but not fresh.
    stale: Option<Arc<App>>,
}

/// An app cannot be looked up at the moment; whether it exists is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the app cannot be looked up at the moment, try again")]
pub(crate) struct Unavailable;

impl Apps {
    /// All apps there are. `configs` have distinct ids and keys.
    pub(crate) fn new(configs: Vec<AppConfig>) -> Self {
        let apps = Apps { table: AppTable::default(), lookups: None, withdrawn: Mutex::default() };
        apps.replace(configs);
        apps
    }

    /// Apps that are looked up in a store of that name when somebody asks for them.
    pub(crate) fn in_store(store: &'static str, options: &AppManager) -> Self {
        let lookups = Lookups::new(store, Policy::of(options));
        Apps { table: AppTable::default(), lookups: Some(lookups), withdrawn: Mutex::default() }
    }

    /// What is known of an app, without asking anybody: for what concerns connections that are
    /// there, or comes from other nodes.
    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<App>> {
        self.table.find_held(id)
    }

    /// The same, for another node that lives on the answer. If nothing is known, the app is looked
    /// up for the next time: peers do not wait for long.
    pub(crate) fn by_id_for_peer(&self, id: &str) -> Option<Arc<App>> {
        let app = self.by_id(id);
        match (&app, &self.lookups) {
            (Some(app), Some(lookups)) => app.freshness.ask(lookups.now()),
            (None, Some(lookups)) => drop(lookups.ask(By::Id(id), None)),
            (_, None) => {}
        }
        app
    }

    /// Every app that is known, in no particular order.
    pub(crate) fn all(&self) -> Vec<Arc<App>> {
        self.table.all()
    }

    /// Connections at this moment, over all apps.
    pub(crate) fn connections(&self) -> u32 {
        self.table.connections()
    }

    /// Puts a new list in the place of the old one; see [`AppTable::replace`](super::table::AppTable::replace).
    pub(crate) fn replace(&self, configs: Vec<AppConfig>) -> Vec<Gone> {
        let mut withdrawn = self.withdrawn.lock();
        withdrawn.read(configs);
        self.table.replace(withdrawn.effective())
    }

    /// The ids of apps that this node's configuration switches off, for the other nodes.
    pub(crate) fn withdrawn(&self) -> Vec<Arc<str>> {
        self.withdrawn.lock().own()
    }

    /// All that another node's configuration switches off; nothing if the node is gone. Of no
    /// concern to apps in a store, which all nodes share.
    pub(crate) fn withdrawn_by(&self, node: NodeId, ids: Vec<Arc<str>>) -> Vec<Gone> {
        let mut withdrawn = self.withdrawn.lock();
        if self.are_in_store() || !withdrawn.told(node, ids) {
            return Vec::new();
        }
        self.table.replace(withdrawn.effective())
    }

    /// Forgets apps that are gone and not used any more. To be called every second.
    pub(crate) fn sweep(&self) {
        self.table.sweep();
    }

    /// Asks for an app. Never waits.
    pub(crate) fn ask(&self, by: By<'_>) -> Asked {
        let app = self.table.find(by);
        match &self.lookups {
            None => app.map_or(Asked::Unknown, Asked::Known),
            Some(lookups) => lookups.ask(by, app),
        }
    }

    /// Waits for what came of a question, 5 s at most.
    pub(crate) async fn answer(
        &self,
        pending: PendingApp,
    ) -> Result<Option<Arc<App>>, Unavailable> {
        let PendingApp { mut answer, stale } = pending;
        let waited = timeout(LOOKUP_TIMEOUT, answer.wait_for(Option::is_some)).await;
        let outcome = waited.ok().and_then(|answer| answer.ok()?.clone());
        let Some(lookups) = &self.lookups else { return Ok(stale) };
        let stale = stale.filter(|app| lookups.policy.may_be_stale(app));
        let (counter, found) = match (outcome, stale) {
            (Some(LookupOutcome::Found(app)), _) => (&lookups.counts.found, Ok(Some(app))),
            (Some(LookupOutcome::Unknown), _) => (&lookups.counts.unknown, Ok(None)),
            // The store hangs, so its answer is as good as none.
            (Some(LookupOutcome::Unavailable) | None, Some(app)) => {
                (&lookups.counts.found, Ok(Some(app)))
            }
            (Some(LookupOutcome::Unavailable) | None, None) => {
                (&lookups.counts.errors, Err(Unavailable))
            }
        };
        counter.fetch_add(1, Relaxed);
        found
    }

    /// The app of an id or key, wherever it has to be looked up; none if it does not exist. It may
    /// be disabled.
    pub(crate) async fn look_up(&self, by: By<'_>) -> Result<Option<Arc<App>>, Unavailable> {
        match self.ask(by) {
            Asked::Known(app) => Ok(Some(app)),
            Asked::Unknown => Ok(None),
            Asked::Unavailable => Err(Unavailable),
            Asked::Pending(pending) => self.answer(pending).await,
        }
    }

    /// Whether apps are looked up.
    pub(crate) fn are_in_store(&self) -> bool {
        self.lookups.is_some()
    }

    /// Has every app that is used looked up again, however fresh it is.
    pub(crate) fn look_up_anew(&self) {
        if let Some(lookups) = &self.lookups {
            lookups.anew.store(true, Relaxed);
        }
    }

    /// The store that has never answered so far, if apps are in one.
    pub(crate) fn unreached_store(&self) -> Option<&'static str> {
        let lookups = self.lookups.as_ref()?;
        (!lookups.reached.load(Relaxed)).then_some(lookups.store)
    }

    /// Where apps come from, for people.
    pub(crate) fn source(&self) -> String {
        match &self.lookups {
            None => format!("array, {} in the configuration", self.table.len()),
            Some(lookups) => format!("{}, {}", lookups.store, lookups.policy),
        }
    }

    /// What the metrics tell; none if all apps are known.
    pub(crate) fn numbers(&self) -> Option<LookupNumbers> {
        self.lookups.as_ref().map(Lookups::numbers)
    }

    /// How many apps are known.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

impl Lookups {
    fn ask(&self, by: By<'_>, app: Option<Arc<App>>) -> Asked {
        let now = self.now();
        if let Some(app) = &app {
            app.freshness.ask(now);
            let serves =
                self.policy.is_fresh(app, now) || (self.is_away() && self.policy.may_be_stale(app));
            if serves {
                self.counts.hits.fetch_add(1, Relaxed);
                return Asked::Known(app.clone());
            }
        }
        match self.wait(by, app.is_some(), now) {
            Some(Ok(answer)) => Asked::Pending(PendingApp { answer, stale: app }),
            Some(Err(Overflow)) => {
                self.counts.overflows.fetch_add(1, Relaxed);
                Asked::Unavailable
            }
            None => {
                self.counts.unknown.fetch_add(1, Relaxed);
                Asked::Unknown
            }
        }
    }

    /// Has the store asked for an app; none if it is known not to be there.
    fn wait(&self, by: By<'_>, known: bool, now: u64) -> Option<Result<PendingAnswer, Overflow>> {
        if !by.is_legal() {
            return None;
        }
        let (name, mut pending) = (by.to_name(), self.pending());
        if pending.unknown.contains(&name, now) {
            return None;
        }
        let answer = pending.ask(name, known);
        drop(pending);
        self.asked.notify_one();
        Some(answer)
    }
}

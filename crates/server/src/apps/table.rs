//! All apps by id and by key: a snapshot that is swapped whole, so that looking one up never waits.
//! It must not know where apps come from and how long what is known of them holds.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use config::AppConfig;
use failures::LogThrottle;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use protocol::close::Close;
use rpds::HashTrieMapSync;

use super::{App, AppSettings, By};

static SAME_KEY: LogThrottle = LogThrottle::new();

/// A map whose copies share what they have in common, so that a snapshot with one more app costs
/// little however many there are.
type Map = HashTrieMapSync<Arc<str>, Arc<App>, RandomState>;

#[derive(Clone, Debug, Default)]
struct Snapshot {
    by_id: Map,
    by_key: Map,
    /// Apps that are not found any more, for as long as somebody holds on to them: their
    /// connections count until they are closed, and one that comes back goes on where it was.
    parted: Map,
}

/// An app whose connections have to be closed.
pub(crate) struct Gone {
    pub(crate) app: Arc<App>,
    pub(crate) close: Close,
}

/// The apps that this node knows. Owned by the node, read by all its threads.
#[derive(Debug, Default)]
pub(crate) struct AppTable {
    now: ArcSwap<Snapshot>,
    /// Held by whoever makes the next snapshot. Readers never see it.
    changing: Mutex<()>,
}

impl AppTable {
    /// An app by one of its names.
    pub(crate) fn find(&self, by: By<'_>) -> Option<Arc<App>> {
        let now = self.now.load();
        match by {
            By::Id(id) => now.by_id.get(id).cloned(),
            By::Key(key) => now.by_key.get(key).cloned(),
        }
    }

    /// An app by its id, also one that is gone while somebody holds on to it.
    pub(crate) fn find_held(&self, id: &str) -> Option<Arc<App>> {
        let now = self.now.load();
        now.by_id.get(id).or_else(|| now.parted.get(id)).cloned()
    }

    /// Every app, in no particular order, also those that are gone while they have connections.
    pub(crate) fn all(&self) -> Vec<Arc<App>> {
        let now = self.now.load();
        now.by_id.values().chain(now.parted.values()).cloned().collect()
    }

    /// Every app that can be found.
    pub(crate) fn found(&self) -> Vec<Arc<App>> {
        self.now.load().by_id.values().cloned().collect()
    }

    /// How many apps can be found.
    pub(crate) fn len(&self) -> usize {
        self.now.load().by_id.size()
    }

    /// Connections at this moment, over all apps.
    pub(crate) fn connections(&self) -> u32 {
        let now = self.now.load();
        now.by_id.values().chain(now.parted.values()).map(|app| app.connections()).sum()
    }

    /// Puts a new list in the place of the old one; `configs` have distinct ids and keys. Those
    /// that are gone or disabled now are returned.
    pub(crate) fn replace(&self, configs: Vec<AppConfig>) -> Vec<Gone> {
        self.change(|change| {
            let kept: HashSet<&str> = configs.iter().map(|config| config.id.as_str()).collect();
            let is_gone = |id: &&Arc<str>| !kept.contains(&***id);
            let gone: Vec<_> = change.next.by_id.keys().filter(is_gone).cloned().collect();
            gone.iter().for_each(|id| change.remove(id));
            change.put(configs);
        })
    }

    /// Makes the next snapshot; returns whose connections have to be closed for it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Change)) -> Vec<Gone> {
        let _changing = self.changing.lock();
        let mut next = Change { next: Snapshot::clone(&self.now.load()), gone: Vec::new() };
        change(&mut next);
        self.now.store(Arc::new(next.next));
        next.gone
    }

    /// Forgets those who are gone and whom nobody holds on to any more; puts those back that were
    /// taken out as unused while somebody began to use them.
    pub(crate) fn sweep(&self) {
        if self.now.load().parted.is_empty() {
            return;
        }
        self.change(Change::sweep);
    }
}

/// A snapshot in the making.
pub(crate) struct Change {
    next: Snapshot,
    gone: Vec<Gone>,
}

impl Change {
    /// What is known now of so many apps. One that keeps its id keeps its connections and
    /// counters, whatever else about it changed. Of two apps with one key, the first to have it
    /// keeps it.
    pub(crate) fn put(&mut self, configs: Vec<AppConfig>) {
        let apps: Vec<Arc<App>> = configs.into_iter().map(|config| self.update(config)).collect();
        // Only now, when all have let their old keys go: they may have swapped them.
        for app in apps {
            let key = app.settings.load().config.key.as_str().into();
            match self.next.by_key.get(&key) {
                None => self.next.by_key.insert_mut(key, app),
                Some(holder) if holder.id == app.id => {}
                Some(holder) if SAME_KEY.may_log() => {
                    let (app, holder) = (&app.id, &holder.id);
                    tracing::error!(%app, %holder, "two apps have the same key, the second has none");
                }
                Some(_) => {}
            }
        }
    }

    fn update(&mut self, config: AppConfig) -> Arc<App> {
        let Snapshot { by_id, by_key, parted } = &mut self.next;
        let known = by_id.get(config.id.as_str()).or_else(|| parted.get(config.id.as_str()));
        let Some(app) = known.cloned() else {
            let app = Arc::new(App::new(config));
            by_id.insert_mut(app.id.clone(), app.clone());
            return app;
        };
        if parted.remove_mut(&app.id) {
            by_id.insert_mut(app.id.clone(), app.clone());
        }
        let old = app.settings.load();
        if old.config.key != config.key {
            release(by_key, &old.config.key, &app);
        }
        if !config.enabled && (old.config.enabled || app.connections() > 0) {
            self.gone.push(Gone { app: app.clone(), close: Close::app_disabled() });
        }
        if old.config != config {
            app.settings.store(Arc::new(AppSettings::new(config)));
        }
        app
    }

    /// An app does not exist any more: its connections have to be closed.
    pub(crate) fn remove(&mut self, id: &str) {
        let Some(app) = self.part(id) else { return };
        let config = app.settings.load().config.clone();
        let close = Close::app_not_found(&config.key);
        // Whoever holds on to it sees that it is no more.
        app.settings.store(Arc::new(AppSettings::new(AppConfig { enabled: false, ..config })));
        self.gone.push(Gone { app, close });
    }

    /// An app is not used and need not be known.
    pub(crate) fn part(&mut self, id: &str) -> Option<Arc<App>> {
        let Snapshot { by_id, by_key, parted } = &mut self.next;
        let app = by_id.get(id).cloned()?;
        by_id.remove_mut(id);
        release(by_key, &app.settings.load().config.key, &app);
        parted.insert_mut(app.id.clone(), app.clone());
        Some(app)
    }

    fn sweep(&mut self) {
        let parted: Vec<Arc<App>> = self.next.parted.values().cloned().collect();
        for app in parted {
            // The map's own, and the one in our hand.
            if Arc::strong_count(&app) == 2 {
                self.next.parted.remove_mut(&app.id);
            } else if app.connections() > 0 && app.settings.load().config.enabled {
                let config = app.settings.load().config.clone();
                self.put(vec![config]);
            }
        }
    }
}

/// An app does not have a key any more.
fn release(by_key: &mut Map, key: &str, app: &Arc<App>) {
    if by_key.get(key).is_some_and(|holder| Arc::ptr_eq(holder, app)) {
        by_key.remove_mut(key);
    }
}

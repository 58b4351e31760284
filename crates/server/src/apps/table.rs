//! All apps by id and by key: a snapshot that is swapped whole, so that looking one up never waits.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use config::AppConfig;
use protocol::close::Close;

use super::{App, Settings};

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<Arc<str>, Arc<App>>,
    by_key: HashMap<Box<str>, Arc<App>>,
}

/// An app whose connections have to be closed.
pub(crate) struct Gone {
    pub(crate) app: Arc<App>,
    pub(crate) close: Close,
}

/// The apps of this node.
#[derive(Debug)]
pub(crate) struct Apps(ArcSwap<Table>);

impl Apps {
    /// `configs` have distinct ids and keys.
    pub(crate) fn new(configs: Vec<AppConfig>) -> Self {
        let apps = Apps(ArcSwap::default());
        apps.replace(configs);
        apps
    }

    /// The app of an id.
    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<App>> {
        self.0.load().by_id.get(id).cloned()
    }

    /// The app of a key.
    pub(crate) fn by_key(&self, key: &str) -> Option<Arc<App>> {
        self.0.load().by_key.get(key).cloned()
    }

    /// Every app, in no particular order.
    pub(crate) fn all(&self) -> Vec<Arc<App>> {
        self.0.load().by_id.values().cloned().collect()
    }

    /// Connections at this moment, over all apps.
    pub(crate) fn connections(&self) -> u32 {
        self.0.load().by_id.values().map(|app| app.connections()).sum()
    }

    /// Puts a new list in the place of the old one. An app that keeps its id keeps its
    /// connections and counters, whatever else about it changed; those that are gone or disabled
    /// now are returned.
    pub(crate) fn replace(&self, configs: Vec<AppConfig>) -> Vec<Gone> {
        let old = self.0.load();
        let mut table = Table::default();
        let mut gone = Vec::new();
        for config in configs {
            let (key, enabled) = (config.key.as_str().into(), config.enabled);
            let app = match old.by_id.get(config.id.as_str()) {
                Some(app) => {
                    app.settings.store(Arc::new(Settings::new(config)));
                    app.clone()
                }
                None => Arc::new(App::new(config)),
            };
            if !enabled {
                gone.push(Gone { app: app.clone(), close: Close::app_disabled() });
            }
            table.by_key.insert(key, app.clone());
            table.by_id.insert(app.id.clone(), app);
        }
        for (id, app) in &old.by_id {
            if !table.by_id.contains_key(id) {
                let config = app.settings.load().config.clone();
                let close = Close::app_not_found(&config.key);
                // Whoever holds on to it sees that it is no more.
                app.settings.store(Arc::new(Settings::new(AppConfig { enabled: false, ..config })));
                gone.push(Gone { app: app.clone(), close });
            }
        }
        self.0.store(Arc::new(table));
        gone
    }
}

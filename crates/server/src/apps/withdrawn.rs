//! Apps of the configuration that are switched off. Each node of a cluster has a configuration of its
//! own; an app that one of them disables, or drops when it is read again, is disabled on all of
//! them, until no configuration says so any more.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use channels::registry::NodeId;
use config::AppConfig;

type Ids = BTreeSet<Arc<str>>;

/// What this node's configuration says, and what others' switch off.
#[derive(Debug, Default)]
pub(super) struct Withdrawn {
    configs: Vec<AppConfig>,
    own: Ids,
    elsewhere: HashMap<NodeId, Ids>,
}

impl Withdrawn {
    /// The configuration was read. What is in it and not disabled is not withdrawn any more.
    pub(super) fn read(&mut self, configs: Vec<AppConfig>) {
        let dropped = self.configs.iter().map(|config| config.id.as_str().into());
        self.own.extend(dropped);
        for config in &configs {
            match config.enabled {
                true => self.own.remove(config.id.as_str()),
                false => self.own.insert(config.id.as_str().into()),
            };
        }
        self.configs = configs;
    }

    /// Another node tells everything that its configuration withdraws. Whether that is news.
    pub(super) fn told(&mut self, node: NodeId, ids: Vec<Arc<str>>) -> bool {
        let ids: Ids = ids.into_iter().collect();
        let known = match ids.is_empty() {
            true => self.elsewhere.remove(&node).unwrap_or_default(),
            false => self.elsewhere.insert(node, ids.clone()).unwrap_or_default(),
        };
        known != ids
    }

    /// What peers are told.
    pub(super) fn own(&self) -> Vec<Arc<str>> {
        self.own.iter().cloned().collect()
    }

    /// The apps as all configurations together have them.
    pub(super) fn effective(&self) -> Vec<AppConfig> {
        let is_off = |id: &str| self.elsewhere.values().any(|ids| ids.contains(id));
        let configs = self.configs.iter().cloned();
        configs
            .map(|config| AppConfig { enabled: config.enabled && !is_off(&config.id), ..config })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::config_of;
    use super::*;

    fn app(id: &str, enabled: bool) -> AppConfig {
        AppConfig { enabled, ..config_of(id, id) }
    }

    fn own(withdrawn: &Withdrawn) -> String {
        withdrawn.own().join(" ")
    }

    fn enabled(withdrawn: &Withdrawn) -> Vec<String> {
        let apps = withdrawn.effective().into_iter().filter(|app| app.enabled);
        apps.map(|app| app.id).collect()
    }

    #[test]
    fn what_one_configuration_drops_or_disables_is_told_until_it_is_back() {
        let mut here = Withdrawn::default();
        here.read(vec![app("a", true), app("b", true), app("c", false)]);
        assert_eq!(own(&here), "c");
        here.read(vec![app("b", false)]);
        assert_eq!(own(&here), "a b c");
        here.read(vec![app("a", true), app("b", true)]);
        assert_eq!(own(&here), "c");
    }

    #[test]
    fn what_another_node_withdraws_is_off_until_none_does() {
        let mut here = Withdrawn::default();
        here.read(vec![app("a", true), app("b", true)]);
        let (one, two) = (NodeId(1), NodeId(2));
        assert!(here.told(one, vec!["a".into()]) && here.told(two, vec!["a".into(), "x".into()]));
        assert!(!here.told(one, vec!["a".into()]));
        assert_eq!(enabled(&here), ["b"]);
        assert!(here.told(one, vec![]) && !here.told(one, vec![]));
        assert_eq!(enabled(&here), ["b"]);
        assert!(here.told(two, vec![]));
        assert_eq!(enabled(&here), ["a", "b"]);
    }
}

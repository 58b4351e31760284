//! What this version supports. A choice that a later version brings is valid, but refused at
//! start by name. To add a driver, add its name here.

use std::fmt;

use crate::settings::Provenance;
use crate::source::Source;

/// The supported names of each option that chooses a driver.
const SUPPORTED: &[(&str, &[&str])] = &[
    // Without webhooks, a server is a full node.
    ("mode", &["full", "server"]),
    ("adapter.driver", &["local", "cluster", "redis", "nats"]),
    ("appManager.driver", &["array"]),
    ("cache.driver", &["memory"]),
    ("queue.driver", &["sync"]),
    ("rateLimiter.driver", &["local", "cluster", "redis"]),
    ("metrics.driver", &["prometheus"]),
];

/// A valid choice that is not part of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The option's key.
    pub key: String,
    /// The chosen name.
    pub value: String,
    /// Where the choice was made.
    pub origin: Source,
    /// The names that can be chosen.
    pub supported: &'static [&'static str],
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, origin, supported } = self;
        write!(f, "{key} = {value:?} (from {origin}): this version has only ")?;
        for (index, name) in supported.iter().enumerate() {
            write!(f, "{}`{name}`", if index > 0 { " and " } else { "" })?;
        }
        write!(f, "; {value} is not built in yet")
    }
}

pub(crate) fn unsupported(settings: &Provenance) -> Vec<Unsupported> {
    let refused = |&(key, supported): &(&str, &'static [&'static str])| {
        let setting = settings.get(key)?;
        let value = setting.value().as_str().filter(|name| !supported.contains(name))?;
        Some(Unsupported {
            key: key.to_owned(),
            value: value.to_owned(),
            origin: setting.origin.clone(),
            supported,
        })
    };
    SUPPORTED.iter().filter_map(refused).collect()
}

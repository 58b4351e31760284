//! The table of options. Parsing, detection of unknown keys, `check-config` and the documentation
//! are all derived from it; an option that is not here does not exist.

mod apps;
mod drivers;
mod server;

use crate::kind::Kind;

/// The key of the list of apps.
pub const APPS: &str = "appManager.array.apps";

/// The prefix of the keys of the first app, under which the fields of an app are listed; the
/// other apps have the same fields under their own numbers.
pub const FIRST_APP: &str = "appManager.array.apps.0.";

/// The prefix of environment names that can only be meant for this server.
pub const ENV_PREFIX: &str = "SOKETI_";

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Name in the environment, without [`ENV_PREFIX`]; `None` = only in the file.
    pub env: Option<&'static str>,
    /// Dotted key in the file.
    pub key: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// Default, as JSON. An option whose default is `null` may be given as null.
    pub default: &'static str,
    /// Whether the value is masked wherever it is printed.
    pub secret: bool,
    /// Why the option has no effect, for those that are accepted only so that a configuration
    /// written for another server starts.
    pub ignored: Option<&'static str>,
    /// One line of help, in Markdown.
    pub help: &'static str,
}

impl OptionSpec {
    /// Whether null is a value of the option.
    pub fn nullable(&self) -> bool {
        self.default == "null"
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    const fn ignored(mut self, reason: &'static str) -> Self {
        self.ignored = Some(reason);
        self
    }
}

/// A row of the table.
const fn row(
    env: &'static str,
    key: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> OptionSpec {
    OptionSpec { env: Some(env), key, kind, default, secret: false, ignored: None, help }
}

/// A row of an option that only the file can set.
const fn file_row(
    key: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> OptionSpec {
    OptionSpec { env: None, key, kind, default, secret: false, ignored: None, help }
}

/// A section of the table, for `check-config` and the documentation.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// Rows, in the order in which they are printed.
    pub options: &'static [OptionSpec],
}

/// The whole table.
pub const SECTIONS: &[Section] = &[
    Section { title: "Server", options: server::SERVER },
    Section { title: "Connections", options: server::CONNECTIONS },
    Section { title: "TLS", options: server::TLS },
    Section { title: "HTTP API", options: server::HTTP },
    Section { title: "Limits", options: server::LIMITS },
    Section { title: "Metrics", options: server::METRICS },
    Section { title: "Apps", options: apps::APP },
    Section { title: "App manager", options: apps::APP_MANAGER },
    Section { title: "Webhooks", options: drivers::WEBHOOKS },
    Section { title: "Cache channels", options: drivers::CACHE },
    Section { title: "Rate limiter", options: drivers::RATE_LIMITER },
    Section { title: "Adapter", options: drivers::ADAPTER },
    Section { title: "Cluster", options: drivers::CLUSTER },
    Section { title: "Queue", options: drivers::QUEUE },
    Section { title: "Databases", options: drivers::DATABASE },
];

/// Every option, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static OptionSpec> {
    SECTIONS.iter().flat_map(|section| section.options)
}

/// The fields of an app: their option (under the first app's key) and their name.
pub(crate) fn app_fields() -> impl Iterator<Item = (&'static OptionSpec, &'static str)> {
    apps::APP.iter().filter_map(|spec| Some((spec, spec.key.strip_prefix(FIRST_APP)?)))
}

/// The option with this name in the environment (without prefix).
pub(crate) fn by_env(name: &str) -> Option<&'static OptionSpec> {
    all().find(|spec| spec.env == Some(name))
}

/// The option with this key, for an app of any number.
pub(crate) fn by_key(key: &str) -> Option<&'static OptionSpec> {
    match app_key(key) {
        Some((_, field)) => app_fields().find(|(_, name)| *name == field).map(|(spec, _)| spec),
        None => all().find(|spec| spec.key == key),
    }
}

/// Whether options have keys below this one.
pub(crate) fn is_group(key: &str) -> bool {
    let below =
        |spec: &OptionSpec| spec.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    key.is_empty() || app_index(key).is_some() || all().any(below)
}

/// The number and field of a key such as `appManager.array.apps.3.webhooks`.
pub(crate) fn app_key(key: &str) -> Option<(usize, &str)> {
    let (number, field) = key.strip_prefix(APPS)?.strip_prefix('.')?.split_once('.')?;
    Some((parse_index(number)?, field))
}

/// The number of a key such as `appManager.array.apps.3`.
pub(crate) fn app_index(key: &str) -> Option<usize> {
    parse_index(key.strip_prefix(APPS)?.strip_prefix('.')?)
}

/// A list index: plain decimal without leading zeros, at most six digits so that nothing can
/// make a list huge.
pub(crate) fn parse_index(text: &str) -> Option<usize> {
    let plain = !text.is_empty()
        && text.len() <= 6
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// The key of an app's field.
pub(crate) fn app_field_key(index: usize, field: &str) -> String {
    format!("{APPS}.{index}.{field}")
}

//! The table of options. Parsing, detection of unknown keys, `check-config` and the documentation
//! are all derived from it; an option that is not here does not exist.

mod adapter;
mod app_manager;
mod apps;
mod cache;
mod check;
mod cluster;
mod config;
mod databases;
mod default;
mod provenance;
mod row;
mod server;
mod tls;
mod values;
mod webhooks;

use std::sync::LazyLock;

pub use adapter::{Adapter, Nats, RedisAdapter};
pub use app_manager::{AppManager, DynamoDb};
pub use apps::AppConfig;
pub use cache::{Cache, RateLimiter};
pub use check::Ignored;
pub use cluster::{Cluster, ClusterTls};
pub use config::{Config, Log};
pub use databases::{Database, DatabasePooling, Redis, SqlDatabase};
pub use default::DefaultValue;
pub use provenance::{Provenance, Setting};
pub(crate) use row::Table;
use row::TableRow;
pub use server::{Connection, Cors, Http, Inbox, Limits, Metrics};
pub use tls::Ssl;
pub(crate) use tls::SslOptions;
pub(crate) use values::Values;
pub use webhooks::{Queue, RedisQueue, Sqs, Webhooks};

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
    /// Default. An option whose default is null may be given as null.
    pub default: DefaultValue,
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
        self.default == DefaultValue::Null
    }
}

/// A section of the table, for `check-config` and the documentation.
#[derive(Clone, Debug)]
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// Rows, in the order in which they are printed.
    pub options: Vec<&'static OptionSpec>,
}

impl Section {
    /// Whether these are the fields of an app, which every app has.
    pub(crate) fn is_of_apps(&self) -> bool {
        self.options.first().is_some_and(|spec| spec.key.starts_with(FIRST_APP))
    }
}

/// The whole table.
pub fn sections() -> &'static [Section] {
    static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(|| {
        let mut sections = Vec::new();
        list(Config::ENTRIES, &mut sections);
        sections
    });
    &SECTIONS
}

fn list(entries: &'static [TableRow], sections: &mut Vec<Section>) {
    for entry in entries {
        match (entry, sections.last_mut()) {
            (TableRow::Section(title), _) => sections.push(Section { title, options: Vec::new() }),
            (TableRow::Group(entries), _) => list(entries, sections),
            (TableRow::Option(spec), Some(section)) => section.options.push(spec),
            // The first entry of all is a heading.
            (TableRow::Option(_), None) => {}
        }
    }
}

/// Every option, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static OptionSpec> {
    sections().iter().flat_map(|section| section.options.iter().copied())
}

/// The fields of an app: their option (under the first app's key) and their name.
pub(crate) fn app_fields() -> impl Iterator<Item = (&'static OptionSpec, &'static str)> {
    let apps = sections().iter().filter(|section| section.is_of_apps());
    apps.flat_map(|section| &section.options)
        .filter_map(|spec| Some((*spec, spec.key.strip_prefix(FIRST_APP)?)))
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

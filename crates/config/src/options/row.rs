//! Rows: one for each option, which is a field of the configuration, its names, its check, its
//! default and its documentation at once.
//!
//! ```text
//! options! {
//!     /// The metrics server.
//!     pub struct Metrics {
//!         /// Run the metrics server.
//!         enabled: bool = option("metrics.enabled", "METRICS_ENABLED", flag(false));
//!         /// Port to listen on; 0 lets the system choose.
//!         port: u16 = option("metrics.port", "METRICS_SERVER_PORT", listen_port(9601));
//!     }
//! }
//! ```
//!
//! To add an option, copy a row and name it in `tests/table.rs`. Its comment is what stands in
//! `docs/configuration.md`, its type has to be the one that its check makes (see
//! [`check`](super::check)), and nothing else is to be done: [`Table::ENTRIES`] lists a struct's
//! rows, and [`Table::read`] makes the struct of their values. Whoever needs one option by itself
//! names its row, as in `Metrics::port()`: no key is written a second time, and a row that is not
//! there does not compile.

use serde_json::Value;

use super::OptionSpec;
use super::check::Check;
use super::values::Values;

/// A field of the configuration and what fills it.
pub(crate) enum Row<T> {
    /// One option.
    Option {
        /// Its names, type, default and help.
        spec: OptionSpec,
        /// Makes the field of a value that fits.
        read: fn(&Value) -> T,
    },
    /// Options of their own.
    Group {
        /// Them.
        entries: &'static [TableRow],
        /// Makes the field of their values.
        read: fn(Values<'_>) -> T,
    },
}

/// A row without its field's type, as the table lists it.
#[derive(Clone, Copy)]
pub(crate) enum TableRow {
    /// The heading over the entries that follow.
    Section(&'static str),
    /// One option.
    Option(OptionSpec),
    /// Options of their own.
    Group(&'static [TableRow]),
}

/// A group of options that together make one value: mostly the struct whose fields they are.
pub(crate) trait Table {
    /// What they make.
    type Value;

    /// Every row, in the order of the documentation.
    const ENTRIES: &'static [TableRow];

    /// Makes it of the values in effect.
    fn read(values: Values<'_>) -> Self::Value;
}

/// An option that `SOKETI_<env>`, `<env>` and the key in the file set.
pub(super) const fn option<T>(key: &'static str, env: &'static str, check: Check<T>) -> Row<T> {
    check.row(key, Some(env))
}

/// An option that only the file can set.
pub(super) const fn file_option<T>(key: &'static str, check: Check<T>) -> Row<T> {
    check.row(key, None)
}

/// The options of another table.
pub(super) const fn group<G: Table>() -> Row<G::Value> {
    Row::Group { entries: G::ENTRIES, read: G::read }
}

impl<T> Row<T> {
    /// With the text of its comment. A group is described by its options.
    pub(super) const fn described(mut self, comment: &'static str) -> Self {
        if let Self::Option { spec, .. } = &mut self {
            spec.help = comment.trim_ascii_start();
        }
        self
    }

    pub(super) const fn entry(&self) -> TableRow {
        match self {
            Self::Option { spec, .. } => TableRow::Option(*spec),
            Self::Group { entries, .. } => TableRow::Group(entries),
        }
    }

    /// The option's key, for a constant; an app's field has that of the first app. A constant that
    /// asks a group for its key does not compile.
    pub(crate) const fn key(&self) -> &'static str {
        match self {
            Self::Option { spec, .. } => spec.key,
            Self::Group { .. } => panic!("a group of options has no key"),
        }
    }
}

/// Defines a struct whose fields are filled by options; see the example above.
///
/// With `table Name for Struct` instead of `pub struct Name`, the rows fill a struct that is
/// defined elsewhere, for one that is filled from several tables. `section "Title";` before a row
/// begins a section of the documentation.
macro_rules! options {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(section $title:literal;)? $(#[doc = $doc:literal])+ $field:ident: $type:ty = $row:expr;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $(
                $(#[doc = $doc])+
                ///
                /// Durations are `Duration`s and sizes are bytes here, whatever unit the option has.
                $vis $field: $type,
            )+
        }

        options! {
            @rows $name for $name {
                $($(section $title;)? $(#[doc = $doc])+ $field: $type = $row;)+
            }
        }
    };

    ($(#[$meta:meta])* table $name:ident for $value:ident { $($rows:tt)+ }) => {
        $(#[$meta])*
        pub(crate) struct $name;

        options! { @rows $name for $value { $($rows)+ } }
    };

    (@rows $name:ident for $value:ident {
        $($(section $title:literal;)? $(#[doc = $doc:literal])+ $field:ident: $type:ty = $row:expr;)+
    }) => {
        /// The rows, by the names of their fields.
        impl $name {
            $(
                pub(crate) const fn $field() -> $crate::options::row::Row<$type> {
                    // By itself, so that a row of another type is pointed at.
                    let row: $crate::options::row::Row<$type> = $row;
                    row.described(concat!($($doc),+))
                }
            )+
        }

        impl $crate::options::row::Table for $name {
            type Value = $value;

            const ENTRIES: &'static [$crate::options::row::TableRow] = &[
                $($($crate::options::row::TableRow::Section($title),)? Self::$field().entry(),)+
            ];

            fn read(values: $crate::options::values::Values<'_>) -> $value {
                $value { $($field: values.read(&Self::$field()),)+ }
            }
        }
    };
}

pub(super) use options;

//! Checks: what an option accepts, what it is by default, and which type it becomes. A row whose
//! field has another type does not compile, nor does a default that is out of range.

mod lists;
mod numbers;
mod texts;

use serde_json::Value;

pub(super) use lists::{networks, nodes, object, origins, texts, tokens, webhooks};
pub(super) use numbers::{
    DAY, app_limit, count, float, fractional_megabytes, int, kilobytes, listen_port, megabytes,
    millis, optional_int, own_limit, own_size, payload, port, seconds, seconds_or_forever,
};
pub(super) use texts::{choice_or_null, optional, text, text_or_empty};

use super::row::Row;
use super::{DefaultValue, OptionSpec};
use crate::kind::Kind;

/// What an option of the field type `T` accepts.
pub(crate) struct Check<T> {
    kind: Kind,
    default: DefaultValue,
    secret: bool,
    ignored: Option<&'static str>,
    /// Makes the field of a value of the kind, or of null if that is the default.
    read: fn(&Value) -> T,
}

impl<T> Check<T> {
    const fn new(kind: Kind, default: DefaultValue, read: fn(&Value) -> T) -> Self {
        Self { kind, default, secret: false, ignored: None, read }
    }

    pub(super) const fn row(self, key: &'static str, env: Option<&'static str>) -> Row<T> {
        let Self { kind, default, secret, ignored, read } = self;
        Row::Option {
            spec: OptionSpec { env, key, kind, default, secret, ignored, help: "" },
            read,
        }
    }

    /// Accepted only so that a configuration written for another server starts: has no effect, and
    /// whoever gives it is told why.
    pub(super) const fn ignored(self, reason: &'static str) -> Check<Ignored> {
        let Self { kind, default, secret, .. } = self;
        Check { kind, default, secret, ignored: Some(reason), read: |_| Ignored }
    }

    const fn null_by_default(mut self) -> Self {
        self.default = DefaultValue::Null;
        self
    }
}

/// The field of an option that is accepted without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ignored;

/// `true` or `false`.
pub(super) const fn flag(default: bool) -> Check<bool> {
    Check::new(Kind::Bool, DefaultValue::Bool(default), |value| value.as_bool().unwrap_or_default())
}

impl Check<bool> {
    /// May be null, and is by default: no.
    pub(super) const fn or_null(self) -> Self {
        self.null_by_default()
    }
}

impl<T> Check<Vec<T>> {
    /// May be null, and is by default: no items.
    pub(super) const fn or_null(self) -> Self {
        self.null_by_default()
    }
}
